#include "base/suggestion.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aios {
namespace {

const std::vector<std::string> kWords = {"num_steps", "num_samples", "seed", "top_k", "top_p"};

TEST(Suggestion, FindsTheNearestWord) {
  EXPECT_EQ(nearest_word("num_step", kWords), "num_steps");
  EXPECT_EQ(nearest_word("num_setps", kWords), "num_steps");
  EXPECT_EQ(nearest_word("sede", kWords), "seed");
  EXPECT_EQ(nearest_word("top_x", kWords), "top_k");
}

TEST(Suggestion, CountsASwapAsOneEdit) {
  // Two replacements would be too many for three letters.
  EXPECT_EQ(nearest_word("acb", std::vector<std::string>{"abc"}), "abc");
}

TEST(Suggestion, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("temperature", kWords), "");
  EXPECT_EQ(suggestion("temperature", kWords), "");
  EXPECT_EQ(nearest_word(std::string(1000, 'a'), kWords), "");
  EXPECT_EQ(nearest_word("", kWords), "");
}

TEST(Suggestion, ReadsAsAQuestion) {
  EXPECT_EQ(suggestion("num_stps", kWords), "; did you mean 'num_steps'?");
}

}  // namespace
}  // namespace aios
