#include "engine/canvas_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aios {
namespace {

/// Ids: 0 "the", 1 "cat", 2 "##s", 3 "ran".
FastTokenizer word_pieces() {
  return FastTokenizer::from_json(R"({"version": "1.0", "added_tokens": [], "normalizer": null,
    "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
    "model": {"type": "WordPiece", "unk_token": "the", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100,
              "vocab": {"the": 0, "cat": 1, "##s": 2, "ran": 3}}})");
}

/// Ids: 0 "a", 1 " ", 2 and 3 the two bytes of e acute.
FastTokenizer bytes() {
  return FastTokenizer::from_json(R"({"version": "1.0", "added_tokens": [], "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "post_processor": null,
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "merges": [], "vocab": {"a": 0, "Ġ": 1, "Ã": 2, "©": 3}}})");
}

TEST(CanvasText, WordsJoinTheirNeighbours) {
  const FastTokenizer tokenizer = word_pieces();
  const std::vector<int32_t> ids = {0, 1, 2, 3};
  EXPECT_EQ(text_of_range(tokenizer, ids, 0, 1), "the");
  EXPECT_EQ(text_of_range(tokenizer, ids, 1, 2), " cat");
  EXPECT_EQ(text_of_range(tokenizer, ids, 2, 3), "s");
  EXPECT_EQ(text_of_range(tokenizer, ids, 1, 4), " cats ran");
  EXPECT_EQ(text_of_range(tokenizer, ids, 2, 2), "");
}

TEST(CanvasText, ASwallowedSpaceIsNotDoubled) {
  const FastTokenizer tokenizer = word_pieces();
  const std::vector<int32_t> ids = {0, 1};
  EXPECT_EQ(text_of_hole(tokenizer, ids, 1, 2, "the "), "cat");
  EXPECT_EQ(text_of_hole(tokenizer, ids, 1, 2, "the"), " cat");
}

TEST(CanvasText, SpacesThatAreTokensStay) {
  const FastTokenizer tokenizer = bytes();
  const std::vector<int32_t> ids = {0, 1, 1, 0};
  EXPECT_EQ(text_of_hole(tokenizer, ids, 2, 4, "a "), " a");
}

TEST(CanvasText, HalfACharacterIsShownAsSuch) {
  const FastTokenizer tokenizer = bytes();
  const std::vector<int32_t> ids = {0, 2, 3};
  EXPECT_EQ(text_of_range(tokenizer, ids, 1, 3), "é");
  EXPECT_EQ(text_of_range(tokenizer, ids, 1, 2), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace aios
