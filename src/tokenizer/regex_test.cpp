#include "tokenizer/regex.h"

#include <gtest/gtest.h>

#include <string>

namespace aios::tokenizer {
namespace {

// Expected: Oniguruma 6.9 as tokenizers 0.23.3 runs it (tests/oracle/test_regex.py compares every
// code point).
TEST(Regex, WordCharactersInsideAndOutsideOfClasses) {
  RegexScratch scratch;
  const auto matches = [&](const char* pattern, const std::string& character) {
    return Regex(pattern).find(character, 0, scratch).has_value();
  };
  for (const char* number : {"\u00b2", "\u00b3", "\u00b9", "\u00bc", "\u00bd", "\u00be"}) {
    EXPECT_TRUE(matches("\\w", number)) << number;
    EXPECT_FALSE(matches("\\W", number)) << number;
    EXPECT_FALSE(matches("[\\w]", number)) << number;
    EXPECT_TRUE(matches("[\\W]", number)) << number;
    EXPECT_TRUE(matches("[^\\w\\s]", number)) << number;
  }
  for (const char* letter : {"a", "7", "_", "\u00e9", "\u0663"}) {
    EXPECT_TRUE(matches("\\w", letter)) << letter;
    EXPECT_TRUE(matches("[\\w]", letter)) << letter;
    EXPECT_FALSE(matches("[^\\w]", letter)) << letter;
  }
}

}  // namespace
}  // namespace aios::tokenizer
