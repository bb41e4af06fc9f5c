#include "cli/token_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aios {
namespace {

FastTokenizer fixture(const std::string& name) {
  return FastTokenizer::from_file(std::string(AIOS_SOURCE_DIR) + "/tests/tokenizer/fixtures/" +
                                  name + ".json");
}

std::string shown(const FastTokenizer& tokenizer, const std::string& text, bool colors = false) {
  return show_tokens(tokenizer, tokenizer.encode(text).ids, colors);
}

TEST(TokenView, BarsPartTokens) {
  EXPECT_EQ(shown(fixture("gpt2"), "the day"), "the\u2502 d\u2502ay\n");
}

TEST(TokenView, SpecialTokensHaveTheirNames) {
  const std::string line = shown(fixture("bert"), "the");
  EXPECT_TRUE(line.starts_with("[CLS]\u2502")) << line;
  EXPECT_TRUE(line.ends_with("\u2502 [SEP]\n")) << line;
}

TEST(TokenView, PartsOfACharacterAreDotsUntilItsLast) {
  EXPECT_EQ(shown(fixture("gpt2"), "\U0001F44D"),
            "\u00b7\u2502\u00b7\u2502\u00b7\u2502\U0001F44D\n");
}

TEST(TokenView, HalfACharacterAtTheEndIsReplaced) {
  const FastTokenizer tokenizer = fixture("gpt2");
  const std::vector<int32_t> ids = tokenizer.encode("\U0001F44D").ids;
  EXPECT_EQ(show_tokens(tokenizer, {ids.data(), 1}, false), "\uFFFD\n");
  EXPECT_EQ(show_tokens(tokenizer, {}, true), "\n");
}

TEST(TokenView, TextCannotCommandTheTerminal) {
  const std::string line = shown(fixture("gpt2"), "a\x1b[31m\n");
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_NE(line.find("\u21b5"), std::string::npos);
}

TEST(TokenView, BackgroundsAlternateAndSpecialTokensAreDim) {
  const FastTokenizer tokenizer = fixture("gpt2");
  std::vector<int32_t> ids = tokenizer.encode("the day").ids;
  ids.push_back(*tokenizer.token_to_id("<|endoftext|>"));
  EXPECT_EQ(
      show_tokens(tokenizer, ids, true),
      "\x1b[30;42mthe\x1b[0m\x1b[30;43m d\x1b[0m\x1b[30;45may\x1b[0m\x1b[2m<|endoftext|>\x1b[0m\n");
}

}  // namespace
}  // namespace aios
