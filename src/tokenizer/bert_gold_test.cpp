// The 10,570 gold tokenizations of SQuAD's questions by bert-base-uncased in ../shared.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aios/tokenizer.h"
#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"

namespace aios {
namespace {

using nlohmann::json;

constexpr std::size_t kNumQuestions = 10'570;

class BertGold : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::string(AIOS_SHARED_DIR) + "/data/tok-bert-uncased/";
    if (!std::filesystem::exists(folder_)) {
      GTEST_SKIP() << "../shared is not there: gold tokenizations are not checked";
    }
    questions_ = read("question_tokens.json");
    ASSERT_EQ(questions_.size(), kNumQuestions);
  }

  json read(const char* name) const {
    std::ifstream file(folder_ + name);
    return json::parse(file);
  }

  std::string folder_;
  json questions_;
};

TEST_F(BertGold, TokensAndIds) {
  const FastTokenizer tokenizer = FastTokenizer::from_file(folder_ + "tokenizer.json");
  const json gold_ids = read("tokenized_questions.json");
  ASSERT_EQ(gold_ids.size(), kNumQuestions);
  TokenizeOptions options;
  options.add_special_tokens = false;
  for (std::size_t i = 0; i < kNumQuestions; ++i) {
    const auto text = questions_[i].at("original").get<std::string>();
    const Encoding encoding = tokenizer.encode(text, options);
    ASSERT_EQ(encoding.ids, gold_ids[i].get<std::vector<int32_t>>()) << text;
    std::vector<std::string> tokens;
    for (const int32_t id : encoding.ids) tokens.push_back(tokenizer.id_to_token(id).value());
    ASSERT_EQ(tokens, questions_[i].at("wordpiece").get<std::vector<std::string>>()) << text;
  }
}

TEST_F(BertGold, BasicTokens) {
  const json gold_words = read("basic_tokenized_questions.json");
  ASSERT_EQ(gold_words.size(), kNumQuestions);
  const json normalizer_json = {{"type", "BertNormalizer"}};
  const json splitter_json = {{"type", "BertPreTokenizer"}};
  const auto normalizer = tokenizer::make_normalizer({normalizer_json, "test"});
  const auto splitter = tokenizer::make_pre_tokenizer({splitter_json, "test"}, {});
  tokenizer::WorkingText text;
  tokenizer::RegexScratch scratch;
  for (std::size_t i = 0; i < kNumQuestions; ++i) {
    const auto question = questions_[i].at("original").get<std::string>();
    text.reset(question);
    text.rewrite(
        [&](const auto&, const auto& part, auto& output) { normalizer->normalize(part, output); });
    splitter->split(text, scratch);
    std::vector<std::string> words;
    for (const tokenizer::Piece& piece : text.pieces()) words.emplace_back(text.text(piece));
    ASSERT_EQ(words, gold_words[i].get<std::vector<std::string>>()) << question;
  }
}

}  // namespace
}  // namespace aios
