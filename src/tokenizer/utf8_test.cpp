#include "tokenizer/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace aios::tokenizer {
namespace {

using namespace std::string_literals;

std::string repaired(const std::string& bytes, std::size_t portion) {
  Utf8Repair repair;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += portion) {
    const std::size_t before = text.size();
    repair.push(std::string_view(bytes).substr(at, portion), text);
    EXPECT_EQ(find_invalid_utf8(text.substr(before)), text.size() - before) << "half a character";
  }
  repair.finish(text);
  return text;
}

TEST(Utf8, DecodesAndWritesTheEndsOfEachLength) {
  for (const std::string& valid :
       {"\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s,
        "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
    const Character character = decode_utf8(valid.data());
    EXPECT_EQ(character.size, valid.size());
    std::string again;
    append_utf8(character.code_point, again);
    EXPECT_EQ(again, valid);
  }
}

// What Python's bytes.decode("utf-8", "replace") gives, in any portions.
TEST(Utf8, RepairReplacesEachMaximalPart) {
  const std::string r = "\xEF\xBF\xBD";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"abc", "abc"},
      {"\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x91\x8D", "\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x91\x8D"},
      {"\xE4\xBD", r},
      {"a\xE4\xBD"
       "b",
       "a" + r + "b"},
      {"\x80\x81z", r + r + "z"},
      {"\xC0\xAF", r + r},
      {"\xED\xA0\x80", r + r + r},
      {"\xF0\x9F\x91\xC3\xA9", r + "\xC3\xA9"},
      {"\xF0\x8F\xBF\xBF", r + r + r + r},
      {"\xE4\xE4\xBD\xA0", r + "\xE4\xBD\xA0"},
      {r, r},
  };
  for (const auto& [bytes, text] : cases) {
    for (std::size_t portion = 1; portion <= 5; ++portion)
      EXPECT_EQ(repaired(bytes, portion), text);
  }
}

}  // namespace
}  // namespace aios::tokenizer
