#include "cli/text_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "aios/error.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::ThrowsMessage;

std::vector<std::string> lines_of(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "text_input_test.txt";
  std::ofstream(path, std::ios::binary) << text;
  return read_lines(path);
}

TEST(TextInput, SplitsLines) {
  EXPECT_THAT(lines_of("a\nb\r\n\nc"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(lines_of("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
  EXPECT_THAT(lines_of(""), IsEmpty());
}

/// Ill-formed sequences of the Unicode standard, table 3-7, and where the first bad byte stands.
TEST(TextInput, NamesTheFirstByteThatIsNotUtf8) {
  const auto message = [](int at) {
    return "text: byte " + std::to_string(at) +
           " is not UTF-8; convert the text first, e.g. with iconv";
  };
  const std::pair<std::string, int> cases[] = {
      {"\x80", 0},
      {"ab\xff", 2},
      {"a\xc3", 1},
      {"\xc0\xaf", 0},
      {"x\xe0\x80\x80", 1},
      {"\xed\xa0\x80", 0},
      {"\xf4\x90\x80\x80", 0},
      {"é\xe2\x82", 2},
  };
  for (const auto& [text, at] : cases) {
    EXPECT_THAT([&text = text] { check_utf8(text, "text"); },
                ThrowsMessage<TokenizerError>(message(at)));
  }
  EXPECT_NO_THROW(check_utf8(std::string("a\0é漢\xf4\x8f\xbf\xbf", 12), "text"));
}

}  // namespace
}  // namespace aios
