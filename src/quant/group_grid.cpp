#include "quant/group_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "quant/line_fit.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

constexpr std::size_t kLanes = 8;
constexpr float kMaxOffset = 127;
constexpr uint16_t kOne = 0x3c00;       // f16
constexpr uint16_t kSmallest = 0x0001;  // f16, the scale of groups of zeros
constexpr uint16_t kLargest = 0x7bff;   // f16

/// The nearest f16 that may be a scale.
uint16_t scale_of(float value) noexcept {
  return std::clamp(float_to_f16(value), kSmallest, kLargest);
}

/// Points of a block in units of the scale: floor(start + step * code).
struct Points {
  float start;
  float step;
};
Points points_of(const QuantizedFormat& format, const BlockGrid& grid) noexcept {
  const auto start = static_cast<float>(grid.start);
  const auto step = static_cast<float>(grid.step);
  const auto zero = static_cast<float>(kGridZero);
  if (format.type == QuantType::kInt4) return {4 * start - zero, step / 4};
  return {8 * start - zero, 4 * step};
}

/// Rounding down takes this much on average: quarters of a point, evenly spread.
float mean_floor(const QuantizedFormat& format, const BlockGrid& grid) noexcept {
  if (format.type != QuantType::kInt4 || grid.step % 4 == 0) return 0;
  return grid.step % 2 == 0 ? 0.25F : 0.375F;
}

/// The greatest start under which the last code of a block with this step is a point of the grid.
int64_t last_start(const QuantizedFormat& format, int64_t step) noexcept {
  const int64_t span = format.point(0, step, format.max_code());
  const int64_t unit = format.type == QuantType::kInt4 ? 4 : 8;
  return std::min(format.max_start(), (2 * kGridZero - 1 - span) / unit);
}

/// Sum of importance * error^2, in units of the scale.
double block_error(std::span<const float> weights, std::span<const float> importance,
                   float inverse_scale, const Points& points, float mean, float max_code) noexcept {
  std::array<float, kLanes> sums{};
  const float inverse = points.step > 0 ? 1 / points.step : 0;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const float offset = weights[i] * inverse_scale - points.start;
    const float code = round_nearest(std::clamp((offset + mean) * inverse, 0.0F, max_code));
    const auto point = static_cast<float>(static_cast<int32_t>(code * points.step));
    const float rest = point - offset;
    sums[lane] += importance[i] * rest * rest;
  };
  std::size_t i = 0;
  for (; i + kLanes <= weights.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  }
  for (; i < weights.size(); ++i) add(i, 0);
  double total = 0;
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace

const GroupGrid& GroupGridFinder::find(std::span<const float> weights,
                                       std::span<const float> importance) {
  grid_.blocks.clear();
  if (format_.type == QuantType::kInt8) {
    find_int8_scale(weights, importance);
    return grid_;
  }
  double best = std::numeric_limits<double>::infinity();
  fit_lines(weights, importance, GridSearch::kRange);
  try_scale(covering_scale(), best);
  if (search_ == GridSearch::kRange) return grid_;
  fit_lines(weights, importance, GridSearch::kLeastSquares);
  // A scale below the covering one cuts the widest block's ends off and makes all others finer.
  constexpr std::array kShares = {1.0F, 0.94F, 0.97F, 1.03F, 1.07F, 0.88F};
  const float covering = covering_scale();
  for (const float share : kShares) try_scale(covering * share, best);
  return grid_;
}

void GroupGridFinder::try_scale(float value, double& best) {
  const uint16_t scale = scale_of(value);
  const double error = fit_blocks(f16_to_float(scale), best);
  if (error >= best) return;
  best = error;
  grid_.scale = scale;
  grid_.blocks = candidate_;
}

void GroupGridFinder::find_int8_scale(std::span<const float> weights,
                                      std::span<const float> importance) {
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  const float covering = largest / kMaxOffset;
  grid_.scale = largest > 0 ? scale_of(covering) : kOne;
  if (search_ == GridSearch::kRange || largest == 0) return;
  constexpr int kShares = 12;
  constexpr float kNarrowest = 0.75F;
  constexpr auto kMaxCode = static_cast<float>(2 * kGridZero - 1);
  double best = std::numeric_limits<double>::infinity();
  const Points points{static_cast<float>(-kGridZero), 1};
  for (int i = 0; i < kShares; ++i) {
    const float share = 1 - (1 - kNarrowest) * static_cast<float>(i) / kShares;
    const uint16_t scale = scale_of(covering * share);
    const float value = f16_to_float(scale);
    const double error =
        block_error(weights, importance, 1 / value, points, 0, kMaxCode) * value * value;
    if (error >= best) continue;
    best = error;
    grid_.scale = scale;
  }
}

void GroupGridFinder::fit_lines(std::span<const float> weights, std::span<const float> importance,
                                GridSearch search) {
  const auto block_size = static_cast<std::size_t>(format_.block_size());
  blocks_.clear();
  for (std::size_t begin = 0; begin < weights.size(); begin += block_size) {
    const std::size_t size = std::min(block_size, weights.size() - begin);
    const auto x = weights.subspan(begin, size);
    const auto w = importance.subspan(begin, size);
    const Line line = search == GridSearch::kRange ? range_line(x, format_.max_code())
                                                   : least_squares_line(x, w, format_.max_code());
    blocks_.push_back({static_cast<int64_t>(begin), x, w, line.start, line.step});
  }
}

float GroupGridFinder::covering_scale() const noexcept {
  const auto max_code = static_cast<float>(format_.max_code());
  const Points widest = points_of(format_, {.start = 0, .step = format_.max_step()});
  float scale = 0;
  for (const Block& block : blocks_) {
    scale = std::max({scale, (block.start + max_code * block.step) / kMaxOffset,
                      -block.start / static_cast<float>(kGridZero), block.step / widest.step});
  }
  return scale;
}

double GroupGridFinder::fit_blocks(float scale, double limit) {
  candidate_.assign(blocks_.size(), {});
  double error = 0;
  for (std::size_t i = 0; i < blocks_.size() && error < limit; ++i) {
    error += fit_block(blocks_[i], scale, candidate_[i]);
  }
  return error;
}

double GroupGridFinder::fit_block(const Block& block, float scale, BlockGrid& best) const noexcept {
  const auto max_code = static_cast<float>(format_.max_code());
  const Points unit = points_of(format_, {.start = 1, .step = 1});
  const auto start_unit = unit.start + static_cast<float>(kGridZero);
  // A block that begins beyond the last start keeps its end by a longer step: int2 has no start
  // near the end of the grid.
  const float greatest_start =
      start_unit * static_cast<float>(format_.max_start()) - static_cast<float>(kGridZero);
  const float end = (block.start + block.step * max_code) / scale;
  const float begin = std::min(block.start / scale, greatest_start);
  const float middle = (begin + end) / 2;
  const auto nearest_step =
      std::min<int64_t>(std::lround((end - begin) / max_code / unit.step), format_.max_step());
  const int64_t reach = search_ == GridSearch::kRange ? 0 : 1;
  double best_error = std::numeric_limits<double>::infinity();
  for (int64_t step = nearest_step - reach; step <= nearest_step + reach; ++step) {
    if (step < 0 || step > format_.max_step()) continue;
    const float mean = mean_floor(format_, {.start = 0, .step = step});
    const float start = middle - static_cast<float>(step) * unit.step * max_code / 2 + mean;
    const auto nearest_start =
        static_cast<int64_t>(std::lround((start + static_cast<float>(kGridZero)) / start_unit));
    for (int64_t i = nearest_start - 1; i <= nearest_start + 1; ++i) {
      const BlockGrid grid{.start = std::clamp<int64_t>(i, 0, last_start(format_, step)),
                           .step = step};
      const double error = block_error(block.weights, block.importance, 1 / scale,
                                       points_of(format_, grid), mean, max_code);
      if (error >= best_error) continue;
      best_error = error;
      best = grid;
    }
  }
  return best_error * scale * scale;
}

int64_t nearest_code(const QuantizedFormat& format, const BlockGrid& block, float scale,
                     float weight) noexcept {
  if (format.type == QuantType::kInt8) {
    const float point = std::nearbyint(weight / scale) + static_cast<float>(kGridZero);
    return static_cast<int64_t>(std::clamp(point, 0.0F, 255.0F));
  }
  const float target = weight / scale;
  int64_t best = 0;
  float best_distance = std::numeric_limits<float>::infinity();
  for (int64_t code = 0; code <= format.max_code(); ++code) {
    const float distance = std::abs(static_cast<float>(point_offset(format, block, code)) - target);
    if (distance > best_distance) break;  // points never descend
    if (distance == best_distance) continue;
    best_distance = distance;
    best = code;
  }
  return best;
}

}  // namespace aios
