// The scanners against their own expressions, run by PCRE2, on random strings of what is hard.
#include "tokenizer/split_scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tokenizer/regex.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

using Ends = std::vector<uint32_t>;

Ends scan_all(SplitScanner scan, std::string_view text) {
  Ends ends;
  for (uint32_t at = 0; at < text.size(); at = ends.back()) {
    ends.push_back(scan(text, at));
    if (ends.back() <= at) break;  // the comparison will tell
  }
  return ends;
}

Ends match_all(const Regex& regex, std::string_view text, RegexScratch& scratch) {
  Ends ends;
  regex.for_each_section(text, scratch, [&](Span span, bool is_match) {
    EXPECT_TRUE(is_match) << "a gap at " << span.begin << " in " << text;
    ends.push_back(span.end);
  });
  return ends;
}

/// Strings over pieces that the alternatives of the patterns tell apart.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "b",
                                                   "Z",
                                                   "Q",
                                                   "\u00e9",
                                                   "\u00c9",
                                                   "\u4f60",
                                                   "\u02b0",
                                                   "\u01c5",
                                                   "\u0301",
                                                   "\u0903",
                                                   "0",
                                                   "1",
                                                   "\u0663",
                                                   "\u2167",
                                                   "\u00bd",
                                                   " ",
                                                   " ",
                                                   "\t",
                                                   "\n",
                                                   "\r",
                                                   "\r\n",
                                                   "\u00a0",
                                                   "\u3000",
                                                   "\u2028",
                                                   "\u0085",
                                                   "\u180e",
                                                   "'",
                                                   "'s",
                                                   "'S",
                                                   "'\u017f",
                                                   "'t",
                                                   "'re",
                                                   "'VE",
                                                   "'ll",
                                                   "'lL",
                                                   "'d",
                                                   "'l",
                                                   "'r",
                                                   "!",
                                                   "?",
                                                   "/",
                                                   "-",
                                                   "\u2019",
                                                   "\U0001f44d",
                                                   "\u200d",
                                                   std::string(1, '\0'),
                                                   "\ue000",
                                                   "\u0378",
                                                   "\U00010d50",
                                                   "\U00016ea0",
                                                   "\u1f88"};
  std::string text;
  const std::size_t length = 1 + random() % 12;
  for (std::size_t i = 0; i < length; ++i) {
    if (random() % 8 == 0) {
      auto c = static_cast<char32_t>(random() % 0x110000);
      if (c >= 0xD800 && c <= 0xDFFF) c = U'x';
      append_utf8(c, text);
    } else {
      text += kPieces[random() % kPieces.size()];
    }
  }
  return text;
}

TEST(SplitScanner, MatchesWhatItsExpressionMatches) {
  constexpr int kNumTexts = 40'000;
  RegexScratch scratch;
  for (const ScannedPattern& pattern : scanned_patterns()) {
    const Regex regex(pattern.expression);
    std::mt19937 random(20261123);
    for (int i = 0; i < kNumTexts; ++i) {
      const std::string text = random_text(random);
      ASSERT_EQ(scan_all(pattern.scan, text), match_all(regex, text, scratch))
          << pattern.expression << "\n"
          << text;
    }
  }
}

TEST(SplitScanner, KnowsEveryCharacterAsItsExpressionDoes) {
  RegexScratch scratch;
  for (const ScannedPattern& pattern : scanned_patterns()) {
    const Regex regex(pattern.expression);
    for (char32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      std::string text = "a";
      append_utf8(c, text);
      text += "A1";
      append_utf8(c, text);
      ASSERT_EQ(scan_all(pattern.scan, text), match_all(regex, text, scratch))
          << std::hex << static_cast<uint32_t>(c);
    }
  }
}

TEST(SplitScanner, OtherExpressionsHaveNone) { EXPECT_EQ(find_scanner(R"(\p{L}+)"), nullptr); }

}  // namespace
}  // namespace aios::tokenizer
