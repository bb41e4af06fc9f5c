#include "tokenizer/canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

using ::testing::ElementsAre;

struct Form {
  std::string text;
  std::vector<uint32_t> origins;
};

Form rewritten(void (*rewrite)(std::string_view, std::vector<Change>&), const std::string& text) {
  std::vector<Change> changes;
  rewrite(text, changes);
  AlignedText aligned;
  aligned.append(AlignedView(text, uint32_t{0}));
  AlignedText spare;
  aligned.transform(changes, 0, spare);
  Form form{std::string(aligned.view().text()), {}};
  for (std::size_t i = 0; i < form.text.size(); ++i)
    form.origins.push_back(aligned.view().origin(i));
  return form;
}

std::string nfc(const std::string& text) { return rewritten(compose_canonically, text).text; }
std::string nfd(const std::string& text) { return rewritten(decompose_canonically, text).text; }

// From the part "specific cases" of Unicode's NormalizationTest.txt: source, NFC, NFD.
TEST(Canonical, SpecificCasesOfTheStandard) {
  struct Case {
    std::string source, composed, decomposed;
  };
  const std::vector<Case> cases = {
      {"\u1E0A", "\u1E0A", "D\u0307"},
      {"D\u0323", "\u1E0C", "D\u0323"},
      {"\u1E0A\u0323", "\u1E0C\u0307", "D\u0323\u0307"},
      {"D\u0307\u0323", "\u1E0C\u0307", "D\u0323\u0307"},
      {"\u1E14\u0304", "\u1E14\u0304", "E\u0304\u0300\u0304"},
      {"\u0112\u0300", "\u1E14", "E\u0304\u0300"},
      {"\u212B", "\u00C5", "A\u030A"},
      {"\u0344", "\u0308\u0301", "\u0308\u0301"},
      {"\u0958", "\u0915\u093C", "\u0915\u093C"},
      {"\u1100\u1161\u11A8", "\uAC01", "\u1100\u1161\u11A8"},
      {"\uAC00\u11A7", "\uAC00\u11A7", "\u1100\u1161\u11A7"},  // U+11A7 is no trailing consonant
      {"a\u0315\u0300\u05AE\u0300b", "\u00E0\u05AE\u0300\u0315b", "a\u05AE\u0300\u0300\u0315b"},
  };
  for (const Case& example : cases) {
    EXPECT_EQ(nfc(example.source), example.composed);
    EXPECT_EQ(nfd(example.source), example.decomposed);
  }
}

// The properties that the standard states of every character.
TEST(Canonical, FormsAreStable) {
  for (char32_t c = 1; c < 0x30000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(c, text);
    const std::string composed = nfc(text);
    const std::string decomposed = nfd(text);
    EXPECT_EQ(nfc(composed), composed) << std::hex << static_cast<uint32_t>(c);
    EXPECT_EQ(nfc(decomposed), composed) << std::hex << static_cast<uint32_t>(c);
    EXPECT_EQ(nfd(composed), decomposed) << std::hex << static_cast<uint32_t>(c);
    EXPECT_TRUE(!is_surely_nfc(text) || composed == text);
    EXPECT_TRUE(!is_surely_nfd(text) || decomposed == text);
  }
}

TEST(Canonical, OriginsAreThoseOfTheOracle) {
  EXPECT_THAT(rewritten(decompose_canonically, "\u00E9a").origins, ElementsAre(0, 0, 0, 2));
  // Composing keeps the base's origin; the mark has none left.
  EXPECT_THAT(rewritten(compose_canonically, "e\u0301a").origins, ElementsAre(0, 0, 3));
}

TEST(Canonical, LowerCaseOfOneCharacterMayBeTwo) {
  EXPECT_EQ(to_lower(U'\u0130').first, U'i');
  EXPECT_EQ(to_lower(U'\u0130').second, U'\u0307');
  EXPECT_EQ(to_lower(U'\u1E9E').first, U'\u00DF');
  EXPECT_EQ(to_lower(U'\U00010D50').first, U'\U00010D70');  // Unicode 16
}

}  // namespace
}  // namespace aios::tokenizer
