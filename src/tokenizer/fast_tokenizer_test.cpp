#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/tokenizer.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr const char* kTinyWordPiece = R"({
  "added_tokens": [{"id": 0, "content": "[PAD]", "special": true, "normalized": false}],
  "normalizer": {"type": "BertNormalizer", "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "un": 2, "##able": 3, "cafe": 4, "!": 5}}})";

TEST(FastTokenizer, SplitsWordsIntoTheLongestPieces) {
  const FastTokenizer tokenizer = FastTokenizer::from_json(kTinyWordPiece);
  const Encoding encoding = tokenizer.encode("Unable  Caf\u00e9!");
  EXPECT_THAT(encoding.ids, ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(encoding.offsets, ElementsAre(Pair(0, 2), Pair(2, 6), Pair(8, 13), Pair(13, 14)));
  EXPECT_EQ(tokenizer.decode(encoding.ids), "unable cafe!");
}

}  // namespace
}  // namespace aios
