#include "quant/line_fit.h"

#include <algorithm>
#include <array>
#include <limits>

namespace aios {
namespace {

constexpr std::size_t kLanes = 8;  // sums side by side, so that loops vectorise
constexpr std::size_t kMaxBlock = 32;

/// Sums over a block, of importance times what the name says; c is the code.
struct Moments {
  double one = 0, c = 0, c_squared = 0, x = 0, x_c = 0, error = 0;
};

/// A block filled up with elements of no importance to whole lanes.
struct PaddedBlock {
  alignas(32) std::array<float, kMaxBlock> x{};
  alignas(32) std::array<float, kMaxBlock> importance{};
  std::size_t size = 0;

  PaddedBlock(std::span<const float> values, std::span<const float> weights) {
    size = (values.size() + kLanes - 1) / kLanes * kLanes;
    std::copy(values.begin(), values.end(), x.begin());
    std::copy(weights.begin(), weights.end(), importance.begin());
  }
};

Moments moments(const PaddedBlock& block, const Line& line, float max_code) noexcept {
  std::array<float, kLanes> one{}, c{}, c_squared{}, x{}, x_c{}, error{};
  const float inverse = 1 / line.step;
  for (std::size_t i = 0; i < block.size; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = block.x[i + lane];
      const float weight = block.importance[i + lane];
      const float position = std::clamp((value - line.start) * inverse, 0.0F, max_code);
      const float code = round_nearest(position);
      const float rest = line.start + code * line.step - value;
      one[lane] += weight;
      c[lane] += weight * code;
      c_squared[lane] += weight * code * code;
      x[lane] += weight * value;
      x_c[lane] += weight * value * code;
      error[lane] += weight * rest * rest;
    }
  }
  Moments sums;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums.one += one[lane];
    sums.c += c[lane];
    sums.c_squared += c_squared[lane];
    sums.x += x[lane];
    sums.x_c += x_c[lane];
    sums.error += error[lane];
  }
  return sums;
}

/// The regression of x on the codes. @return false if they do not determine one
bool regress(const Moments& sums, Line& line) noexcept {
  const double determinant = sums.one * sums.c_squared - sums.c * sums.c;
  if (!(determinant > 0)) return false;
  const double step = (sums.one * sums.x_c - sums.c * sums.x) / determinant;
  if (!(step > 0)) return false;
  line.step = static_cast<float>(step);
  line.start = static_cast<float>((sums.c_squared * sums.x - sums.c * sums.x_c) / determinant);
  return true;
}

}  // namespace

Line range_line(std::span<const float> x, int64_t max_code) noexcept {
  const auto [smallest, largest] = std::minmax_element(x.begin(), x.end());
  return {*smallest, (*largest - *smallest) / static_cast<float>(max_code)};
}

Line least_squares_line(std::span<const float> x, std::span<const float> importance,
                        int64_t max_code) noexcept {
  const Line range = range_line(x, max_code);
  const auto codes = static_cast<float>(max_code);
  if (!(range.step > std::numeric_limits<float>::min())) return range;
  const PaddedBlock block(x, importance);
  // At 2 bits the best range may leave half of the weights outside, at 4 bits few.
  constexpr int kRanges = 8;
  constexpr int kRounds = 3;
  const float narrowest = max_code <= 3 ? 0.4F : 0.75F;
  Line best = range;
  double best_error = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRanges; ++i) {
    const float share = 1 - (1 - narrowest) * static_cast<float>(i) / (kRanges - 1);
    Line line;
    line.step = range.step * share;
    line.start = range.start + codes * (range.step - line.step) / 2;
    for (int round = 0; round < kRounds; ++round) {
      const Moments sums = moments(block, line, codes);
      if (sums.error < best_error) {
        best_error = sums.error;
        best = line;
      }
      if (!regress(sums, line)) break;
    }
  }
  return best;
}

}  // namespace aios
