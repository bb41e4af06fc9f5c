#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace aios {
namespace {

// Random123, tests/kat_vectors, lines "philox4x32 10".
TEST(Philox, EqualsPublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxUniformSource, TakesTheUpper53BitsOfTwoWords) {
  // First published vector: words 0x6627e8d5 (low) and 0xe169c58d (high).
  EXPECT_EQ(PhiloxUniformSource(0).uniform(0, 0, 0, 0),
            static_cast<double>(0xe169c58d6627e8d5ULL >> 11U) / 9007199254740992.0);
}

TEST(PhiloxUniformSource, EveryNameAndSeedHasItsOwnNumber) {
  std::set<double> seen;
  for (const uint64_t seed : {0ULL, 1ULL, 1ULL << 32U}) {
    const PhiloxUniformSource source(seed);
    seen.insert(source.uniform(0, 0, 0, 0));
    seen.insert(source.uniform(1, 0, 0, 0));
    seen.insert(source.uniform(0, 1, 0, 0));
    seen.insert(source.uniform(0, 0, 1, 0));
    seen.insert(source.uniform(0, 0, 0, 1));
  }
  EXPECT_EQ(seen.size(), 15U);
}

TEST(PhiloxUniformSource, IsUniform) {
  constexpr int kNumDraws = 200'000;
  const PhiloxUniformSource source(42);
  double sum = 0;
  double sum_of_squares = 0;
  for (int token = 0; token < kNumDraws; ++token) {
    const double draw = source.uniform(0, 0, 0, token);
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    sum += draw;
    sum_of_squares += draw * draw;
  }
  // Five standard errors of the means of u (variance 1/12) and of u² (variance 4/45).
  EXPECT_NEAR(sum / kNumDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kNumDraws));
  EXPECT_NEAR(sum_of_squares / kNumDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kNumDraws));
}

}  // namespace
}  // namespace aios
