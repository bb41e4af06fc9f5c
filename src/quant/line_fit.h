/// Weights as whole multiples of a step from a start: the lines that blocks are rounded to.
#pragma once

#include <cstdint>
#include <span>

namespace aios {

/// x is about start + step * code, code in [0, max_code].
struct Line {
  float start = 0;
  float step = 0;
};

/// From the smallest to the largest of `x`.
[[nodiscard]] Line range_line(std::span<const float> x, int64_t max_code) noexcept;

/// The line of least sum of importance * error^2 that alternating rounding and weighted linear
/// regression reaches from several ranges (ggml's make_qkx2_quants does so from the whole range).
[[nodiscard]] Line least_squares_line(std::span<const float> x, std::span<const float> importance,
                                      int64_t max_code) noexcept;

/// The nearest whole number of a float below 2^22. By addition: it vectorises everywhere.
inline float round_nearest(float x) noexcept {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: the last bit is worth 1
  return (x + kMagic) - kMagic;
}

}  // namespace aios
