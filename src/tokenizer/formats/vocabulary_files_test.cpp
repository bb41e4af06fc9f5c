// Folders without tokenizer.json. The published ones stand in ../shared; what they give is compared
// with transformers' own reading of them in tests/oracle/test_tokenizer_folders.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aios/tokenizer.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

class VocabularyFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] FastTokenizer load() const { return FastTokenizer::from_file(folder_.string()); }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  (std::string("vocabulary_") +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(VocabularyFolder, ThatSaysNothingIsGpt2) {
  write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "\u0120": 3, "<|endoftext|>": 4})");
  write("merges.txt", "#version: 0.2\r\na b\r\n");
  const FastTokenizer tokenizer = load();
  EXPECT_THAT(tokenizer.encode("ab ab<|endoftext|>").ids, ElementsAre(2, 3, 2, 4));
  EXPECT_THAT(tokenizer.special_tokens().end, Optional(4));
  EXPECT_TRUE(tokenizer.is_special(4));
}

TEST_F(VocabularyFolder, OfRobertaSurroundsTheText) {
  write("vocab.json", R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5})");
  write("merges.txt", "");
  write("config.json", R"({"model_type": "roberta"})");
  const FastTokenizer tokenizer = load();
  EXPECT_THAT(tokenizer.encode("a<mask>").ids, ElementsAre(0, 4, 5, 2));
  EXPECT_THAT(tokenizer.encode_pair("a", "a").ids, ElementsAre(0, 4, 2, 2, 4, 2));
  EXPECT_THAT(tokenizer.special_tokens().mask, Optional(5));
}

TEST_F(VocabularyFolder, WordListIsBert) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\ncafe\n##s\n\nCaf\u00e9\n\u4f60");
  EXPECT_THAT(load().encode("Caf\u00e9s \u4f60x").ids, ElementsAre(2, 4, 5, 8, 1, 3));
  write("tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_THAT(load().encode("Caf\u00e9s cafe").ids, ElementsAre(2, 7, 5, 4, 3));
  EXPECT_THAT(load().encode_pair("cafe", "cafe").type_ids, ElementsAre(0, 0, 0, 1, 1));
}

TEST_F(VocabularyFolder, WordListWithOtherNames) {
  write("vocab.txt", "<u>\n<c>\n<s>\na\n");
  write("tokenizer_config.json", R"({"unk_token": "<u>", "cls_token": {"content": "<c>"}})");
  write("special_tokens_map.json", R"({"sep_token": "<s>"})");
  const FastTokenizer tokenizer = load();
  EXPECT_THAT(tokenizer.encode("a b").ids, ElementsAre(1, 3, 0, 2));
  EXPECT_THAT(tokenizer.special_tokens().separator, Optional(2));
}

// A published folder, and the ids that its publisher gives.
TEST(VocabularyFiles, PublishedWordListGivesTheGoldIds) {
  using nlohmann::json;
  const std::string published = std::string(AIOS_SHARED_DIR) + "/data/tok-bert-uncased/";
  if (!std::filesystem::exists(published + "vocab.txt")) {
    GTEST_SKIP() << "../shared is not there: published vocab.txt files are not read";
  }
  const auto read = [&](const char* name) {
    std::ifstream file(published + name);
    return json::parse(file);
  };
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "bert_words";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(published + "vocab.txt", folder / "vocab.txt",
                             std::filesystem::copy_options::overwrite_existing);
  const FastTokenizer tokenizer = FastTokenizer::from_file(folder.string());
  std::filesystem::remove_all(folder);
  const json questions = read("question_tokens.json");
  const json gold = read("tokenized_questions.json");
  ASSERT_EQ(questions.size(), gold.size());
  ASSERT_GT(questions.size(), 10000U);
  TokenizeOptions options;
  options.add_special_tokens = false;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto text = questions[i].at("original").get<std::string>();
    ASSERT_EQ(tokenizer.encode(text, options).ids, gold[i].get<std::vector<int32_t>>()) << text;
  }
}

}  // namespace
}  // namespace aios
