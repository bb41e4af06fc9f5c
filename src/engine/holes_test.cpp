#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"

namespace aios {

static bool operator==(const InfillSegment& a, const InfillSegment& b) {
  return a.text == b.text && a.min_tokens == b.min_tokens && a.max_tokens == b.max_tokens;
}
static void PrintTo(const InfillSegment& segment, std::ostream* out) {
  *out << '"' << segment.text << "\" " << segment.min_tokens << "-" << segment.max_tokens;
}

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

InfillSegment given(std::string text) { return InfillSegment::given(std::move(text)); }
InfillSegment hole(int32_t min_tokens, int32_t max_tokens) {
  return InfillSegment::hole(min_tokens, max_tokens);
}

TEST(Holes, SplitsTextAtHoles) {
  EXPECT_THAT(parse_holes("The [[3]] ran [[2-5]]."),
              ElementsAre(given("The "), hole(3, 3), given(" ran "), hole(2, 5), given(".")));
  EXPECT_THAT(parse_holes("[[8]]"), ElementsAre(hole(8, 8)));
  EXPECT_THAT(parse_holes("[[1]][[2]]"), ElementsAre(hole(1, 1), hole(2, 2)));
  EXPECT_THAT(parse_holes("no hole ] [ ]] here"), ElementsAre(given("no hole ] [ ]] here")));
  EXPECT_THAT(parse_holes(""), IsEmpty());
}

TEST(Holes, FourBracketsAreTwoLiteralOnes) {
  EXPECT_THAT(parse_holes("a [[[[8]] b"), ElementsAre(given("a [[8]] b")));
  EXPECT_THAT(parse_holes("[[[[[[8]]"), ElementsAre(given("[["), hole(8, 8)));
}

TEST(Holes, AnOddBracketBeforeAHoleIsText) {
  EXPECT_THAT(parse_holes("x[[[8]]]"), ElementsAre(given("x["), hole(8, 8), given("]")));
}

TEST(Holes, RefusesMalformedOnesWithTheirOffset) {
  const auto parsing = [](const char* text) { return [text] { parse_holes(text); }; };
  EXPECT_THAT(parsing("ab [[x]]"), ThrowsMessage<ConfigError>(HasSubstr("byte 3 opens no hole")));
  EXPECT_THAT(parsing("[["), ThrowsMessage<ConfigError>(HasSubstr("write [[[[")));
  EXPECT_THAT(parsing("[[]]"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[8"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[8]"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[ 8 ]]"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[-3]]"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[3-]]"), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(parsing("[[0]]"), ThrowsMessage<ConfigError>(HasSubstr("0 tokens")));
  EXPECT_THAT(parsing("[[5-3]]"), ThrowsMessage<ConfigError>(HasSubstr("ends before")));
  EXPECT_THAT(parsing("[[99999999999]]"), ThrowsMessage<ConfigError>(HasSubstr("too long")));
}

}  // namespace
}  // namespace aios
