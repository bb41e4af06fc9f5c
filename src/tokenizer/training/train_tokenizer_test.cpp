// Small corpora whose merges can be followed by hand; whole ones are compared with Hugging Face's
// trainers in tests/oracle/test_tokenizer_training.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "tokenizer/training/bpe_trainer.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using tokenizer::BpeTrainerOptions;
using tokenizer::BpeVocabulary;

TEST(BpeTrainer, MergesTheMostFrequentPairFirst) {
  BpeTrainerOptions options;
  options.vocab_size = 6;
  const BpeVocabulary learnt = train_bpe({{"abc", 2}, {"bc", 3}, {"d", 1}}, options);
  EXPECT_THAT(learnt.tokens, ElementsAre("a", "b", "c", "d", "bc", "abc"));
  EXPECT_THAT(learnt.merges, ElementsAre(Pair(1, 2), Pair(0, 4)));
}

TEST(BpeTrainer, OfEqualPairsTheSmallestIdsMergeFirst) {
  BpeTrainerOptions options;
  options.vocab_size = 100;
  const BpeVocabulary learnt = train_bpe({{"cd", 2}, {"ab", 2}, {"ad", 2}}, options);
  EXPECT_THAT(learnt.tokens, ElementsAre("a", "b", "c", "d", "ab", "ad", "cd"));
}

TEST(BpeTrainer, PairsThatOverlapMergeFromTheLeft) {
  BpeTrainerOptions options;
  options.vocab_size = 100;
  const BpeVocabulary learnt = train_bpe({{"aaaaa", 1}}, options);
  EXPECT_THAT(learnt.tokens, ElementsAre("a", "aa", "aaa", "aaaaa"));
}

TEST(BpeTrainer, LimitsHold) {
  BpeTrainerOptions options;
  options.special_tokens = {"<s>", "b"};
  options.min_frequency = 3;
  options.max_token_length = 3;
  const BpeVocabulary learnt = train_bpe({{"abab", 3}, {"cd", 2}}, options);
  EXPECT_THAT(learnt.tokens, ElementsAre("<s>", "b", "a", "c", "d", "ab"));
  options.limit_alphabet = 2;
  EXPECT_THAT(train_bpe({{"abab", 3}, {"cd", 2}}, options).tokens,
              ElementsAre("<s>", "b", "a", "ab"));
}

TEST(BpeTrainer, PrefixedSymbolsLoseTheirPrefixWhenTheyMerge) {
  BpeTrainerOptions options;
  options.continuing_subword_prefix = "##";
  options.vocab_size = 100;
  EXPECT_THAT(train_bpe({{"aba", 2}}, options).tokens,
              ElementsAre("a", "b", "##a", "##b", "ab", "aba"));
}

class TrainTokenizer : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::vector<std::string> file(const std::string& text) const {
    std::ofstream(folder_ / "text.txt") << text;
    return {(folder_ / "text.txt").string()};
  }
  [[nodiscard]] static std::string refusal(const TokenizerTrainingConfig& config) {
    try {
      (void)train_tokenizer({}, config);
    } catch (const ConfigError& error) {
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("training_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(TrainTokenizer, OfBytesWritesEveryText) {
  TokenizerTrainingConfig config;
  config.vocab_size = 262;
  config.special_tokens = {"<mask>", "<|endoftext|>"};
  const FastTokenizer tokenizer =
      FastTokenizer::from_json(train_tokenizer(file("the day\nthe day\n"), config));
  EXPECT_EQ(tokenizer.vocab_size(), 262);
  EXPECT_EQ(tokenizer.token_to_id("<mask>"), 1);
  const std::vector<int32_t> ids = tokenizer.encode("the day <mask>\u4f60").ids;
  EXPECT_EQ(tokenizer.decode(ids, false), "the day <mask>\u4f60");
  EXPECT_LT(ids.size(), 10U);
}

TEST_F(TrainTokenizer, OfWordPiecesIsBert) {
  TokenizerTrainingConfig config;
  config.kind = TokenizerKind::kWordPiece;
  config.vocab_size = 40;
  const FastTokenizer tokenizer =
      FastTokenizer::from_json(train_tokenizer(file("The days, the day\n"), config));
  const Encoding encoding = tokenizer.encode_pair("The day", "days");
  EXPECT_EQ(tokenizer.decode(encoding.ids), "the day days");
  EXPECT_EQ(encoding.ids.front(), 2);
  EXPECT_EQ(encoding.type_ids.back(), 1);
}

TEST_F(TrainTokenizer, RefusesWhatItCannotLearnFrom) {
  EXPECT_THROW((void)train_tokenizer(file("abc\xff"), {}), TokenizerError);
  const std::vector<std::string> absent = {(folder_ / "absent").string()};
  EXPECT_THROW((void)train_tokenizer(absent, {}), IoError);
  TokenizerTrainingConfig config;
  config.vocab_size = 0;
  EXPECT_THAT(refusal(config), HasSubstr("vocab_size must be at least 1"));
  config = {};
  config.min_frequency = -1;
  EXPECT_THAT(refusal(config), HasSubstr("min_frequency"));
  config = {};
  config.special_tokens = {""};
  EXPECT_THAT(refusal(config), HasSubstr("special_tokens: a token is empty"));
}

}  // namespace
}  // namespace aios
