#include "quant/group_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "quant/quant_test_support.h"

namespace aios {
namespace {

using quant_test::all_formats;
using quant_test::index;
using quant_test::name_of;
using quant_test::random_weights;
using quant_test::Tail;

/// What a weight of a group becomes.
float rounded(const QuantizedFormat& format, const GroupGrid& grid, std::size_t k, float weight) {
  const BlockGrid block =
      grid.blocks.empty() ? BlockGrid{} : grid.blocks[k / index(format.block_size())];
  const float scale = f16_to_float(grid.scale);
  const int64_t code = nearest_code(format, block, scale, weight);
  return scale * static_cast<float>(point_offset(format, block, code));
}

double group_error(const QuantizedFormat& format, const GroupGrid& grid,
                   const std::vector<float>& weights, const std::vector<float>& importance) {
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double rest = double{weights[k]} - rounded(format, grid, k, weights[k]);
    sum += importance[k] * rest * rest;
  }
  return sum;
}

void expect_valid(const QuantizedFormat& format, const GroupGrid& grid, std::size_t size) {
  EXPECT_TRUE(is_valid_scale(grid.scale));
  const int64_t block_size = format.block_size();
  ASSERT_EQ(grid.blocks.size(),
            block_size == 0 ? 0 : (size + index(block_size) - 1) / index(block_size));
  for (const BlockGrid& block : grid.blocks) {
    EXPECT_GE(block.start, 0);
    EXPECT_LE(block.start, format.max_start());
    EXPECT_GE(block.step, 0);
    EXPECT_LE(block.step, format.max_step());
    // Points never wrap around: `nearest_code` takes them to ascend.
    for (int64_t code = 1; code <= format.max_code(); ++code) {
      EXPECT_GE(format.point(block.start, block.step, code),
                format.point(block.start, block.step, code - 1));
    }
  }
}

TEST(GroupGridTest, CodesAreTheNearestOfAllPoints) {
  const QuantizedFormat int4{QuantType::kInt4, 32};
  const BlockGrid block{.start = 7, .step = 13};  // points -100, -97, ... -52
  for (float weight = -130; weight < 0; weight += 0.3F) {
    const int64_t code = nearest_code(int4, block, 1, weight);
    const auto distance = [&](int64_t other) {
      return std::abs(weight - static_cast<float>(point_offset(int4, block, other)));
    };
    for (int64_t other = 0; other < 16; ++other) EXPECT_LE(distance(code), distance(other));
  }
  const QuantizedFormat int8{QuantType::kInt8, 0};
  EXPECT_EQ(nearest_code(int8, {}, 0.5F, 3), 128 + 6);
  EXPECT_EQ(nearest_code(int8, {}, 0.5F, 1000), 255);
  EXPECT_EQ(nearest_code(int8, {}, 0.5F, -1000), 0);
}

/// int8 by range: half a step, and what the f16 of the scale is off by at the ends.
/// int4 by range: half a step of the line, plus what the grid costs: the block's middle moves by
/// half of the starts' unit (2 points for int4, 4 for int2), the step by half of its unit (1/8 and
/// 2 points) for the 7.5 or 1.5 steps to either end, and a point is rounded down by up to 3/4.
/// Scales are the covering ones to an f16's 2^-11, 127 points from the middle of the grid.
TEST(GroupGridTest, ARangeRoundsEachWeightWithinHalfAStep) {
  for (const QuantizedFormat& format : all_formats()) {
    if (format.group_size == 0) continue;
    GroupGridFinder finder(format, GridSearch::kRange);
    for (uint32_t seed = 0; seed < 50; ++seed) {
      const auto weights = random_weights(format.group_size, Tail::kNormal, seed);
      const std::vector<float> importance(weights.size(), 1);
      const GroupGrid& grid = finder.find(weights, importance);
      expect_valid(format, grid, weights.size());
      const float scale = f16_to_float(grid.scale);
      for (std::size_t k = 0; k < weights.size(); ++k) {
        double steps = 0.5 + 127 * 0x1p-11;
        if (format.type != QuantType::kInt8) {
          const std::size_t begin = k / index(format.block_size()) * index(format.block_size());
          const auto block = std::span(weights).subspan(begin, index(format.block_size()));
          const auto [least, greatest] = std::ranges::minmax_element(block);
          const double step = (*greatest - *least) / static_cast<float>(format.max_code()) / scale;
          const bool is_int4 = format.type == QuantType::kInt4;
          const double grid_cost = is_int4 ? 2 + 7.5 / 8 + 0.75 : 4 + 1.5 * 2;
          steps = step / 2 + grid_cost + 127 * 0x1p-11;
        }
        EXPECT_LE(std::abs(weights[k] - rounded(format, grid, k, weights[k])), steps * scale)
            << name_of(format) << ", seed " << seed << ", weight " << k;
      }
    }
  }
}

/// The range's grid is among those tried. int4's search takes codes from the line before points are
/// rounded down, so what it measures may be off by a percent.
TEST(GroupGridTest, TheSearchIsNeverWorseThanTheRange) {
  for (const QuantizedFormat& format : all_formats()) {
    const int64_t size = format.group_size == 0 ? 200 : format.group_size;
    GroupGridFinder range(format, GridSearch::kRange);
    GroupGridFinder search(format, GridSearch::kLeastSquares);
    for (const Tail tail : {Tail::kNormal, Tail::kStudent}) {
      double range_sum = 0;
      double sum = 0;
      for (uint32_t seed = 0; seed < 40; ++seed) {
        const auto weights = random_weights(size, tail, seed);
        const std::vector<float> importance(weights.size(), 1);
        const GroupGrid& grid = search.find(weights, importance);
        expect_valid(format, grid, weights.size());
        const double found = group_error(format, grid, weights, importance);
        const double limit =
            group_error(format, range.find(weights, importance), weights, importance);
        EXPECT_LE(found, limit * (format.type == QuantType::kInt4 ? 1.01 : 1 + 1e-6))
            << name_of(format) << ", seed " << seed;
        sum += found;
        range_sum += limit;
      }
      // 127 steps to either side leave int8 nothing to gain from cutting off a normal's ends.
      const double share = format.type == QuantType::kInt8 ? 1 : 0.97;
      EXPECT_LE(sum, share * range_sum) << name_of(format);
    }
  }
}

TEST(GroupGridTest, ImportanceLowersTheErrorOfWhatIsImportant) {
  for (const QuantizedFormat& format : all_formats()) {
    const int64_t size = format.group_size == 0 ? 200 : format.group_size;
    GroupGridFinder finder(format, GridSearch::kLeastSquares);
    const std::vector<float> ones(index(size), 1);
    double plain = 0;
    double weighted = 0;
    for (uint32_t seed = 0; seed < 40; ++seed) {
      const auto weights = random_weights(size, Tail::kNormal, seed);
      auto importance = random_weights(size, Tail::kStudent, seed + 1000);
      for (float& weight : importance) weight *= weight;
      plain += group_error(format, finder.find(weights, ones), weights, importance);
      weighted += group_error(format, finder.find(weights, importance), weights, importance);
    }
    EXPECT_LT(weighted, plain) << name_of(format);
  }
}

TEST(GroupGridTest, ZerosStayZeros) {
  for (const QuantizedFormat& format : all_formats()) {
    for (const GridSearch search : {GridSearch::kRange, GridSearch::kLeastSquares}) {
      GroupGridFinder finder(format, search);
      const std::vector<float> weights(44);
      const std::vector<float> importance(44, 1);
      const GroupGrid& grid = finder.find(weights, importance);
      expect_valid(format, grid, weights.size());
      EXPECT_EQ(group_error(format, grid, weights, importance), 0) << name_of(format);
    }
  }
}

/// Points are multiples of 4 for int2: the search finds one within 2 of the constant's 127. A range
/// rounds the step of a block to 4 points, which is 12 at its end.
TEST(GroupGridTest, ConstantsAreKept) {
  for (const QuantizedFormat& format : all_formats()) {
    for (const GridSearch search : {GridSearch::kRange, GridSearch::kLeastSquares}) {
      for (const float constant : {0.37F, -0.37F, 1.0F, 900.0F, -1e-3F}) {
        GroupGridFinder finder(format, search);
        const std::vector<float> weights(32, constant);
        const std::vector<float> importance(32, 1);
        const GroupGrid& grid = finder.find(weights, importance);
        expect_valid(format, grid, weights.size());
        EXPECT_NEAR(rounded(format, grid, 0, constant), constant,
                    std::abs(constant) * (search == GridSearch::kRange ? 7 : 2.1) / 127)
            << name_of(format) << (search == GridSearch::kRange ? " by range" : " by search");
      }
    }
  }
}

/// The least scale is the least f16, 2^-24: what is below half of it is 0.
TEST(GroupGridTest, TinyWeightsAreWithinTheLeastScale) {
  for (const QuantizedFormat& format : all_formats()) {
    GroupGridFinder finder(format, GridSearch::kLeastSquares);
    for (const float size : {1e-45F, 1e-39F, 1e-20F, 1e-8F, 1e-7F}) {
      std::vector<float> weights = random_weights(48);
      for (float& weight : weights) weight = std::clamp(weight, -1.0F, 1.0F) * size;
      const std::vector<float> importance(weights.size(), 1);
      const GroupGrid& grid = finder.find(weights, importance);
      expect_valid(format, grid, weights.size());
      for (std::size_t k = 0; k < weights.size(); ++k) {
        EXPECT_LE(std::abs(weights[k] - rounded(format, grid, k, weights[k])), 0x1p-23)
            << name_of(format) << ' ' << size;
      }
    }
  }
}

TEST(GroupGridTest, TheGreatestWeightsAreHeld) {
  constexpr float kGreatest = 127.0F * 65504.0F;
  for (const QuantizedFormat& format : all_formats()) {
    GroupGridFinder finder(format, GridSearch::kLeastSquares);
    std::vector<float> weights = random_weights(64);
    for (float& weight : weights) weight = std::clamp(weight / 3, -1.0F, 1.0F) * kGreatest;
    weights[3] = kGreatest;
    weights[40] = -kGreatest;
    const std::vector<float> importance(weights.size(), 1);
    const GroupGrid& grid = finder.find(weights, importance);
    expect_valid(format, grid, weights.size());
    double squares = 0;
    for (const float weight : weights) squares += double{weight} * weight;
    EXPECT_LT(group_error(format, grid, weights, importance), 0.15 * squares) << name_of(format);
  }
}

}  // namespace
}  // namespace aios
