/// Normalisation of one row, and the rotary embedding of one head.
#pragma once

#include <cstdint>

namespace aios {

/// `x` and `out` may be the same row. weight [size], bias [size] or null.
struct NormalizeArguments {
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float epsilon = 0;
  float* out = nullptr;
  int64_t size = 0;
};

/// x / sqrt(mean(x^2) + epsilon) * weight + bias (Zhang and Sennrich, 2019)
void rms_norm_reference(const NormalizeArguments& arguments) noexcept;

/// (x - mean) / sqrt(variance + epsilon) * weight + bias, variance over `size` (Ba et al., 2016)
void layer_norm_reference(const NormalizeArguments& arguments) noexcept;

/// Half-rotated (NeoX) rotary embedding of x [2 * half] in place:
/// (x[i], x[i + half]) = (x[i] cos[i] - x[i + half] sin[i], x[i + half] cos[i] + x[i] sin[i]).
void rotate_reference(const float* cosines, const float* sines, float* x, int64_t half) noexcept;

}  // namespace aios
