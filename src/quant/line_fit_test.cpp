#include "quant/line_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "quant/quant_test_support.h"

namespace aios {
namespace {

using quant_test::random_weights;
using quant_test::Tail;

/// Sum of importance * error^2 on a line, in double.
double line_error(const std::vector<float>& x, const std::vector<float>& importance,
                  const Line& line, int64_t max_code) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double step = line.step;
    const double position = step > 0 ? (double{x[i]} - line.start) / step : 0;
    const double code = std::clamp(std::nearbyint(position), 0.0, static_cast<double>(max_code));
    const double rest = line.start + code * step - x[i];
    sum += importance[i] * rest * rest;
  }
  return sum;
}

TEST(LineFitTest, ARangeRunsFromTheSmallestToTheLargest) {
  const Line line = range_line(std::vector<float>{3, -2, 5.5F, 0}, 15);
  EXPECT_EQ(line.start, -2);
  EXPECT_EQ(line.step, 0.5F);
}

TEST(LineFitTest, NumbersOnALineAreFoundExactly) {
  for (const int64_t max_code : {int64_t{3}, int64_t{15}}) {
    std::vector<float> x;
    for (int64_t i = 0; i < 16; ++i)
      x.push_back(-1.25F + 0.5F * static_cast<float>(i % (max_code + 1)));
    const std::vector<float> importance(x.size(), 1);
    const Line line = least_squares_line(x, importance, max_code);
    EXPECT_EQ(line.start, -1.25F);
    EXPECT_EQ(line.step, 0.5F);
  }
}

TEST(LineFitTest, ConstantNumbersHaveNoStep) {
  const std::vector<float> x(16, 0.7F);
  const std::vector<float> importance(16, 1);
  const Line line = least_squares_line(x, importance, 3);
  EXPECT_EQ(line.start, 0.7F);
  EXPECT_EQ(line.step, 0);
}

/// The whole range is among the lines that are tried; sums of 32 floats differ from sums in double
/// by less than 32 roundings.
TEST(LineFitTest, IsNeverWorseThanTheRange) {
  constexpr double kSumRounding = 1 + 32 * 0x1p-23;
  for (const Tail tail : {Tail::kNormal, Tail::kStudent}) {
    for (const int64_t max_code : {int64_t{3}, int64_t{15}}) {
      const auto size = static_cast<int64_t>(max_code == 3 ? 16 : 32);
      double range_sum = 0;
      double sum = 0;
      for (uint32_t seed = 0; seed < 200; ++seed) {
        const auto x = random_weights(1 + seed % size, tail, seed);
        auto importance = random_weights(1 + seed % size, tail, seed + 1000);
        for (float& weight : importance) weight = std::abs(weight);
        const double range = line_error(x, importance, range_line(x, max_code), max_code);
        const double fitted =
            line_error(x, importance, least_squares_line(x, importance, max_code), max_code);
        EXPECT_LE(fitted, range * kSumRounding + 1e-12) << seed;
        range_sum += range;
        sum += fitted;
      }
      EXPECT_LT(sum, 0.9 * range_sum);
    }
  }
}

TEST(LineFitTest, WhatDoesNotCountDoesNotBendTheLine) {
  const std::vector<float> x = {0, 1, 2, 3, 0, 1, 2, 3, 4};
  std::vector<float> importance(x.size(), 1);
  EXPECT_GT(line_error(x, importance, least_squares_line(x, importance, 3), 3), 0.1);
  importance.back() = 0;
  EXPECT_LT(line_error(x, importance, least_squares_line(x, importance, 3), 3), 1e-10);
}

TEST(LineFitTest, RoundsToTheNearest) {
  for (const float x : {0.0F, 0.49F, 0.51F, 1.5F, 2.5F, -0.51F, 254.51F, 4194303.0F}) {
    EXPECT_EQ(round_nearest(x), std::nearbyint(x)) << x;
  }
}

}  // namespace
}  // namespace aios
