#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace aios {
namespace {

using namespace std::string_literals;

// Table 3-7 of the Unicode standard: the first and last character of each row, and what lies just
// outside.
TEST(Utf8, ValidationFollowsTheTableOfWellFormedSequences) {
  for (const std::string& valid :
       {"\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xE0\xBF\xBF"s, "\xE1\x80\x80"s,
        "\xEC\xBF\xBF"s, "\xED\x80\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xEF\xBF\xBF"s,
        "\xF0\x90\x80\x80"s, "\xF3\xBF\xBF\xBF"s, "\xF4\x80\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
    EXPECT_EQ(find_invalid_utf8("0123456789" + valid + "end"), 13 + valid.size());
  }
  for (const std::string& invalid :
       {"\x80"s, "\xBF"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC2"s, "\xC2\x41"s, "\xE0\x9F\xBF"s,
        "\xE0\xA0"s, "\xED\xA0\x80"s, "\xED\xBF\xBF"s, "\xF0\x8F\xBF\xBF"s, "\xF0\x90\x80"s,
        "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s}) {
    EXPECT_EQ(find_invalid_utf8("0123456789\xC3\xA9" + invalid + "end"), 12U);
  }
}

}  // namespace
}  // namespace aios
