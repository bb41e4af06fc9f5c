// SentencePiece's and tiktoken's files: gold ids of those libraries (tools/make_tokenizer_models.py
// --fixtures), and files that lie.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "aios/error.h"
#include "aios/tokenizer.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

const std::string kModels = std::string(AIOS_SOURCE_DIR) + "/tests/tokenizer/models/";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ModelFiles, GiveTheGoldIds) {
  std::size_t num_rows = 0;
  const auto gold = nlohmann::json::parse(read(kModels + "gold.json"));
  for (const auto& [name, rows] : gold.items()) {
    const FastTokenizer tokenizer = FastTokenizer::from_file(kModels + name);
    for (const auto& row : rows) {
      const auto text = row.at("text").get<std::string>();
      EXPECT_EQ(tokenizer.encode(text).ids, row.at("ids").get<std::vector<int32_t>>())
          << name << ": " << text;
      ++num_rows;
    }
  }
  EXPECT_GT(num_rows, 60U);
}

TEST(ModelFiles, OffsetsOfSentencePieceAreThoseOfTheText) {
  const FastTokenizer tokenizer = FastTokenizer::from_file(kModels + "bpe-bytes.model");
  const std::string text = "the day \U0001F44D";
  std::string seen;
  int64_t last = 0;
  for (const auto& [begin, end] : tokenizer.encode(text).offsets) {
    EXPECT_LE(begin, std::max(last, end));
    if (end > last)
      seen += text.substr(static_cast<std::size_t>(last), static_cast<std::size_t>(end - last));
    last = end;
  }
  EXPECT_EQ(seen, text);
}

TEST(ModelFiles, RolesOfSentencePiece) {
  const FastTokenizer tokenizer = FastTokenizer::from_file(kModels + "bpe-symbols.model");
  const SpecialTokens& tokens = tokenizer.special_tokens();
  EXPECT_THAT(tokens.unknown, Optional(0));
  EXPECT_THAT(tokens.begin, Optional(1));
  EXPECT_THAT(tokens.end, Optional(2));
  EXPECT_THAT(tokens.pad, Optional(3));
  EXPECT_TRUE(tokenizer.is_special(1));
  EXPECT_THAT(tokenizer.encode("</s>").ids, ElementsAre(2));
}

/// A folder that goes when the test ends.
class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  [[nodiscard]] FastTokenizer load() const { return FastTokenizer::from_file(folder_.string()); }
  /// What `load` complains about, once `bytes` are the file's.
  [[nodiscard]] std::string refusal(const std::string& bytes,
                                    const std::string& name = "tokenizer.model") const {
    write(name, bytes);
    return refusal_of_folder();
  }
  [[nodiscard]] std::string refusal_of_folder() const {
    try {
      (void)load();
    } catch (const FormatError& error) {
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("model_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(ModelFolder, SaysWhetherTextsBegin) {
  write("tokenizer.model", read(kModels + "bpe-bytes.model"));
  const std::size_t size = load().encode("day").ids.size();
  write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer"})");
  EXPECT_EQ(load().encode("day").ids.front(), 1);
  EXPECT_EQ(load().encode("day").ids.size(), size + 1);
  write("tokenizer_config.json", R"({"add_bos_token": true, "add_eos_token": true})");
  EXPECT_EQ(load().encode_pair("day", "day").ids.size(), 2 * size + 4);
  EXPECT_THAT(load().encode_pair("day", "day").type_ids.back(), 1);
}

TEST_F(ModelFolder, OfTiktokenTakesPatternAndTokensFromTheConfig) {
  write("mine.tiktoken", read(kModels + "cl100k_base.tiktoken"));
  write("tokenizer_config.json", R"({"pat_str": "\\S+|\\s", "eos_token": "<end>",
      "added_tokens_decoder": {"500": {"content": "<end>", "special": true}}})");
  const FastTokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("<end>").ids, std::vector{500});
  EXPECT_THAT(tokenizer.special_tokens().end, Optional(500));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a  b<end>").ids), "a  b");
}

/// Field `number` with `payload` as protobuf writes it.
std::string field(unsigned number, const std::string& payload) {
  return std::string(1, static_cast<char>(number << 3U | 2U)) + static_cast<char>(payload.size()) +
         payload;
}
std::string piece(const std::string& text, char type = 1) {
  return field(1, field(1, text) + std::string("\x18") + type);
}

TEST_F(ModelFolder, SentencePieceCutOff) {
  const std::string whole = read(kModels + "bpe-bytes.model");
  EXPECT_THAT(refusal(whole.substr(0, 100)), HasSubstr("are left"));
}
TEST_F(ModelFolder, SentencePieceLengthBeyondTheFile) {
  EXPECT_THAT(refusal("\x0a\xff\xff\xff\xff\x0f"),
              HasSubstr("byte 0: a field of 4294967295 bytes, of which only 0 are left"));
}
TEST_F(ModelFolder, SentencePieceNumberWithoutEnd) {
  EXPECT_THAT(refusal("\x0a" + std::string(12, '\xff')), HasSubstr("a number has over 64 bits"));
  EXPECT_THAT(refusal("\x0a\x80"), HasSubstr("a number is cut off"));
}
TEST_F(ModelFolder, SentencePieceWithAGroup) {
  EXPECT_THAT(refusal(piece("a", 2) + "\x0b"), HasSubstr("wire type 3 is not supported"));
}
TEST_F(ModelFolder, SentencePieceOfAnotherWireType) {
  EXPECT_THAT(refusal(piece("a", 2) + "\x10\x01"),
              HasSubstr("field 2: expected wire type 2, found 0"));
}
TEST_F(ModelFolder, SentencePieceWithoutUnknownPiece) {
  EXPECT_THAT(refusal(piece("a")), HasSubstr("it has 0 unknown pieces"));
}
TEST_F(ModelFolder, SentencePieceTwice) {
  EXPECT_THAT(refusal(piece("u", 2) + piece("a") + piece("a")),
              HasSubstr("piece 2: \"a\" comes twice"));
}
TEST_F(ModelFolder, SentencePieceWithAnEmptyPiece) {
  EXPECT_THAT(refusal(piece("u", 2) + piece("")), HasSubstr("piece 1: it is empty"));
}
TEST_F(ModelFolder, SentencePieceThatIsNoUtf8) {
  EXPECT_THAT(refusal(piece("\xff")), HasSubstr("field 1: it is not UTF-8"));
}
TEST_F(ModelFolder, SentencePieceOfUnknownType) {
  EXPECT_THAT(refusal(piece("u", 9)), HasSubstr("no type of piece is 9"));
}
TEST_F(ModelFolder, SentencePieceOfWords) {
  EXPECT_THAT(refusal(piece("u", 2) + field(2, "\x18\x03")),
              HasSubstr("model type 3 is not supported; unigram (1) and bpe (2) are"));
}
TEST_F(ModelFolder, SentencePieceWithAnInfiniteScore) {
  EXPECT_THAT(refusal(field(1, field(1, "a") + std::string("\x15\x00\x00\x80\x7f", 5))),
              HasSubstr("the number is not finite"));
}
TEST_F(ModelFolder, SentencePieceUnusedInBpe) {
  EXPECT_THAT(refusal(piece("u", 2) + piece("a", 5) + field(2, "\x18\x02")),
              HasSubstr("unused pieces of a BPE model are not supported"));
}
TEST_F(ModelFolder, SentencePieceWithABadCharacterMap) {
  EXPECT_THAT(refusal(piece("u", 2) + field(3, field(2, "\xff\xff\xff\x7f..."))),
              HasSubstr("the character map names a table of 2147483647 bytes, but has 3"));
}
TEST_F(ModelFolder, SentencePieceThatBeginsWithNothing) {
  write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "<none>"})");
  EXPECT_THAT(refusal(piece("u", 2)), HasSubstr("add_bos_token: there is no bos_token"));
}
TEST_F(ModelFolder, HasTwoModels) {
  write("a.model", "");
  EXPECT_THAT(refusal("", "b.tiktoken"), HasSubstr("has both a.model and b.tiktoken"));
}

/// All bytes as tokens, and `more`.
std::string ranks(const std::string& more) {
  const std::string all = read(kModels + "cl100k_base.tiktoken");
  std::size_t end = 0;
  for (int line = 0; line < 256; ++line) end = all.find('\n', end) + 1;
  return all.substr(0, end) + more;
}

TEST_F(ModelFolder, TiktokenLineWithoutARank) {
  EXPECT_THAT(refusal(ranks("YWI=\n"), "qwen.tiktoken"),
              HasSubstr("line 257: expected a token in base64, a space and its rank"));
}
TEST_F(ModelFolder, TiktokenThatIsNoBase64) {
  EXPECT_THAT(refusal(ranks("#W 256\n"), "qwen.tiktoken"), HasSubstr("\"#W\" is not base64"));
  EXPECT_THAT(refusal(ranks(" 256\n"), "qwen.tiktoken"), HasSubstr("\"\" is not base64"));
}
TEST_F(ModelFolder, TiktokenRankThatIsNoNumber) {
  EXPECT_THAT(refusal(ranks("YWI= x\n"), "qwen.tiktoken"), HasSubstr("\"x\" is no rank"));
  EXPECT_THAT(refusal(ranks("YWI= 2147483648\n"), "qwen.tiktoken"), HasSubstr("is no rank"));
}
TEST_F(ModelFolder, TiktokenRankThatWouldNeedGigabytes) {
  EXPECT_THAT(refusal(ranks("YWI= 2147483647\n"), "qwen.tiktoken"), HasSubstr("is too large"));
}
TEST_F(ModelFolder, TiktokenTokenTwice) {
  EXPECT_THAT(refusal(ranks("YWI= 256\nYWI= 257\n"), "qwen.tiktoken"),
              HasSubstr("line 258: the token comes twice"));
}
TEST_F(ModelFolder, TiktokenRankTwice) {
  EXPECT_THAT(refusal(ranks("YWI= 256\nYWM= 256\n"), "qwen.tiktoken"),
              HasSubstr("have the same id 256"));
}
TEST_F(ModelFolder, TiktokenWithoutAByte) {
  EXPECT_THAT(refusal("YWI= 0\n", "qwen.tiktoken"), HasSubstr("byte 0 is no token"));
}
TEST_F(ModelFolder, TiktokenOfAnUnknownName) {
  EXPECT_THAT(refusal(ranks(""), "mine.tiktoken"), HasSubstr("does not say how to split text"));
}

}  // namespace
}  // namespace aios
