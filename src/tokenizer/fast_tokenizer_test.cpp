#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/utf8.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using namespace std::string_literals;

const std::string kFixtures = std::string(AIOS_SOURCE_DIR) + "/tests/tokenizer/fixtures/";

FastTokenizer fixture(const std::string& name) {
  return FastTokenizer::from_file(kFixtures + name + ".json");
}

constexpr const char* kTinyWordPiece = R"({
  "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}],
  "normalizer": {"type": "BertNormalizer", "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "padding": {"strategy": {"Fixed": 128}, "pad_id": 0, "pad_type_id": 0},
  "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0},
  "model": {"unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 10,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "un": 2, "##able": 3, "cafe": 4, "!": 9}}})";

TEST(FastTokenizer, SplitsWordsIntoTheLongestPieces) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  const Encoding encoding = tokenizer.encode("Unable  Caf\u00e9!");
  EXPECT_THAT(encoding.ids, ElementsAre(2, 3, 4, 9));
  EXPECT_THAT(encoding.offsets, ElementsAre(Pair(0, 2), Pair(2, 6), Pair(8, 13), Pair(13, 14)));
  EXPECT_EQ(tokenizer.decode(encoding.ids), "unable cafe!");
}

TEST(FastTokenizer, WhatCannotBeCoveredOrIsTooLongIsUnknown) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  EXPECT_THAT(tokenizer.encode("unx").ids, ElementsAre(1));
  EXPECT_THAT(tokenizer.encode("unableableable").ids, ElementsAre(1));
}

// Fixed padding and truncation in a file would make every text 128 tokens long.
TEST(FastTokenizer, StoredTruncationAndPaddingAreIgnored) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  const Encoding encoding = tokenizer.encode("cafe cafe cafe");
  EXPECT_EQ(encoding.ids.size(), 3U);
  EXPECT_FALSE(encoding.truncated);
}

TEST(FastTokenizer, KnowsItsVocabularyWithHoles) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  EXPECT_EQ(tokenizer.vocab_size(), 10);
  EXPECT_THAT(tokenizer.token_to_id("cafe"), Optional(4));
  EXPECT_EQ(tokenizer.token_to_id("tea"), std::nullopt);
  EXPECT_THAT(tokenizer.id_to_token(9), Optional("!"s));
  for (const int32_t id : {-1, 5, 10}) EXPECT_EQ(tokenizer.id_to_token(id), std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(0));
  for (const int32_t id : {-1, 1, 5, 10}) EXPECT_FALSE(tokenizer.is_special(id));
}

TEST(FastTokenizer, TruncationIsReportedAndKeepsSpecialTokens) {
  const FastTokenizer tokenizer = fixture("bert");
  TokenizeOptions options;
  options.max_length = 4;
  const Encoding whole = tokenizer.encode("to be or not to be");
  const Encoding cut = tokenizer.encode("to be or not to be", options);
  EXPECT_THAT(cut.ids, ElementsAre(whole.ids[0], whole.ids[1], whole.ids[2], whole.ids.back()));
  EXPECT_TRUE(cut.truncated);
  EXPECT_FALSE(tokenizer.encode("to be", options).truncated);
  options.add_special_tokens = false;
  EXPECT_FALSE(tokenizer.encode("to be or not", options).truncated);
  EXPECT_TRUE(tokenizer.encode("to be or not to", options).truncated);
}

TEST(FastTokenizer, NulIsACharacterLikeAnyOther) {
  const FastTokenizer tokenizer = fixture("gpt2");
  const std::string text = "a\0b\0"s;
  const Encoding encoding = tokenizer.encode(text);
  EXPECT_EQ(encoding.offsets.back(), std::pair(int64_t{3}, int64_t{4}));
  EXPECT_EQ(tokenizer.decode(encoding.ids), text);
}

TEST(FastTokenizer, InvalidUtf8IsRefusedWithItsOffset) {
  const FastTokenizer tokenizer = fixture("gpt2");
  EXPECT_THAT([&] { (void)tokenizer.encode("caf\xC3\xA9 \xE4\xBD"); },
              ThrowsMessage<TokenizerError>(HasSubstr("not valid UTF-8 at byte 6")));
  EXPECT_THAT([&] { (void)tokenizer.encode_pair("fine", "\xED\xA0\x80"); },
              ThrowsMessage<TokenizerError>(HasSubstr("at byte 0")));
}

TEST(FastTokenizer, IdsWithoutATokenAreRefused) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  for (const int32_t id : {-1, 5, 10}) {
    EXPECT_THAT(
        [&] {
          (void)tokenizer.decode({&id, 1});
        },
        ThrowsMessage<TokenizerError>(HasSubstr("is not in the vocabulary, whose ids end")));
  }
}

TEST(FastTokenizer, UnknownTextWithoutAnUnknownTokenIsRefused) {
  const FastTokenizer pieces = FastTokenizer::from_json(
      R"({"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"a": 0}}})");
  EXPECT_THAT([&] { (void)pieces.encode("b"); },
              ThrowsMessage<TokenizerError>(HasSubstr("nor the unk_token \"[UNK]\"")));
  const FastTokenizer pairs = FastTokenizer::from_json(
      R"({"model": {"type": "BPE", "unk_token": "<unk>", "vocab": {"a": 0}, "merges": []}})");
  EXPECT_THAT([&] { (void)pairs.encode("ab"); },
              ThrowsMessage<TokenizerError>(HasSubstr("no token for \"b\"")));
}

TEST(FastTokenizer, BadOptionsAreRefused) {
  const FastTokenizer tokenizer = fixture("bert");
  const auto encode = [&](int32_t max_length, int32_t pad_to_length) {
    TokenizeOptions options;
    options.max_length = max_length;
    options.pad_to_length = pad_to_length;
    return tokenizer.encode("text", options);
  };
  EXPECT_THAT([&] { encode(-1, 0); }, ThrowsMessage<ConfigError>(HasSubstr("max_length -1")));
  EXPECT_THAT([&] { encode(1, 0); }, ThrowsMessage<ConfigError>(HasSubstr("the 2 special tokens")));
  EXPECT_THAT([&] { encode(0, -2); }, ThrowsMessage<ConfigError>(HasSubstr("pad_to_length -2")));
  EXPECT_EQ(encode(2, 0).ids.size(), 2U);  // nothing but special tokens
  TokenizeOptions padded;
  padded.pad_to_length = 4;
  EXPECT_THAT([&] { (void)fixture("gpt2").encode("text", padded); },
              ThrowsMessage<ConfigError>(HasSubstr("no padding token")));
}

TEST(FastTokenizer, CustomarySpecialTokensAreFoundWithoutAConfig) {
  const SpecialTokens tokens = fixture("bert").special_tokens();
  EXPECT_THAT(tokens.pad, Optional(0));
  EXPECT_THAT(tokens.unknown, Optional(1));
  EXPECT_THAT(tokens.classify, Optional(2));
  EXPECT_THAT(tokens.separator, Optional(3));
  EXPECT_THAT(tokens.mask, Optional(4));
  EXPECT_EQ(tokens.begin, std::nullopt);
}

class TokenizerFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ("tokenizer_"s + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(TokenizerFolder, ConfigsNameTheSpecialTokens) {
  std::filesystem::copy_file(kFixtures + "qwen2.json", folder_ / "tokenizer.json");
  write("tokenizer_config.json",
        R"({"eos_token": "<|im_end|>", "pad_token": null, "mask_token": "absent"})");
  write("special_tokens_map.json",
        R"({"eos_token": "<|im_start|>", "pad_token": {"content": "<|endoftext|>"}})");
  const FastTokenizer tokenizer = FastTokenizer::from_file(folder_.string());
  const SpecialTokens& tokens = tokenizer.special_tokens();
  EXPECT_EQ(tokens.end, tokenizer.token_to_id("<|im_end|>"));
  EXPECT_EQ(tokens.pad, tokenizer.token_to_id("<|endoftext|>"));
  EXPECT_EQ(tokens.mask, std::nullopt);
}

TEST_F(TokenizerFolder, VocabularyAndMergesAloneMakeATokenizer) {
  write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "\u0120": 3, "<|endoftext|>": 4})");
  write("merges.txt", "#version: 0.2\na b\n");
  write("added_tokens.json", R"({"<old>": 5, "<mask>": 6})");
  write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2TokenizerFast",
      "mask_token": "<mask>", "added_tokens_decoder": {
        "5": {"content": "<new>", "special": false, "normalized": false}}})");
  const FastTokenizer tokenizer = FastTokenizer::from_file(folder_.string());
  EXPECT_THAT(tokenizer.encode("ab ab<mask><new><|endoftext|>").ids, ElementsAre(2, 3, 2, 6, 5, 4));
  EXPECT_THAT(tokenizer.special_tokens().mask, Optional(6));
  EXPECT_TRUE(tokenizer.is_special(4));
  EXPECT_FALSE(tokenizer.is_special(5));
  EXPECT_EQ(tokenizer.decode(std::vector{2, 3, 6, 5}), "ab <new>");
}

// A stream's pieces are whole characters and make the decoded text, whatever ids a model emits.
TEST(StreamingDecoder, RandomIdsGiveTheDecodedText) {
  std::mt19937 random(7);
  for (const char* name : {"bert", "gpt2", "llama3", "qwen2"}) {
    const FastTokenizer tokenizer = fixture(name);
    std::uniform_int_distribution<int32_t> any_id(0, tokenizer.vocab_size() - 1);
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<int32_t> ids(40);
      for (int32_t& id : ids) id = any_id(random);
      StreamingDecoder decoder(tokenizer);
      std::string text;
      for (const int32_t id : ids) {
        const std::string piece = decoder.push(id);
        ASSERT_EQ(find_invalid_utf8(piece), piece.size());
        text += piece;
      }
      text += decoder.finish();
      ASSERT_EQ(text, tokenizer.decode(ids)) << name;
    }
  }
}

TEST(StreamingDecoder, ACharacterWaitsForItsLastByte) {
  const FastTokenizer tokenizer = fixture("gpt2");
  const Encoding encoding = tokenizer.encode("\U0001F44D");
  ASSERT_EQ(encoding.ids.size(), 4U);
  StreamingDecoder decoder(tokenizer);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_THAT(decoder.push(encoding.ids[i]), IsEmpty());
  EXPECT_EQ(decoder.push(encoding.ids[3]), "\U0001F44D");
  EXPECT_THAT(decoder.push(encoding.ids[0]), IsEmpty());
  EXPECT_EQ(decoder.finish(), "\uFFFD");
}

TEST(FastTokenizer, ABatchOnSeveralThreadsIsTheSameBatch) {
  const FastTokenizer tokenizer = fixture("gpt2");
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back("line " + std::to_string(i * 7919) + " of many");
  TokenizeOptions options;
  options.max_length = 6;
  const std::vector<Encoding> expected = tokenizer.encode_batch(texts, options);
  for (const int num_threads : {2, 3, 0}) {
    const std::vector<Encoding> encodings = tokenizer.encode_batch(texts, options, num_threads);
    ASSERT_EQ(encodings.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ASSERT_EQ(encodings[i].ids, expected[i].ids) << num_threads << " threads, text " << i;
      ASSERT_EQ(encodings[i].offsets, expected[i].offsets);
    }
  }
}

TEST(FastTokenizer, ABatchOnSeveralThreadsRefusesWhatOneTextMustNotHold) {
  const FastTokenizer tokenizer = fixture("gpt2");
  std::vector<std::string> texts(100, "fine");
  texts[70] = "not \xff fine";
  EXPECT_THAT([&] { (void)tokenizer.encode_batch(texts, {}, 2); },
              ThrowsMessage<TokenizerError>(HasSubstr("not valid UTF-8 at byte 4")));
}

TEST(FastTokenizer, ThreadsShareOneTokenizer) {
  const FastTokenizer tokenizer = fixture("llama3");
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i)
    texts.push_back("Text number " + std::to_string(i * 7919) + ", na\u00efve.");
  const std::vector<Encoding> expected = tokenizer.encode_batch(texts);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) {
        for (std::size_t i = 0; i < texts.size(); ++i) {
          const Encoding encoding = tokenizer.encode(texts[i]);
          if (encoding.ids != expected[i].ids || encoding.offsets != expected[i].offsets) ++count;
          if (tokenizer.decode(encoding.ids) != texts[i]) ++count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace aios
