/// What all instruction sets from AVX2 on do for a block of eight rows of activations to round it
/// to 8 bits (quantize_rows_impl.h), in one vector.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/quantized_matmul.h"

namespace aios {
namespace {

/// Scales and factors of a stretch of eight rows.
class EightRows {
 public:
  static constexpr int64_t kRows = 8;

  [[nodiscard]] bool is_finite() const noexcept { return is_finite_; }

  /// Stores the scales of all rows.
  void store_scales(float* out) const noexcept { _mm256_storeu_ps(out, scales_); }

 protected:
  /// @param bits of each row's largest magnitude: as integers they are in the order of the numbers,
  ///     and those of infinity and NaN come last
  explicit EightRows(__m256i bits) noexcept {
    const __m256i largest_finite = _mm256_set1_epi32(0x7f7fffff);
    const __m256 largest = _mm256_castsi256_ps(bits);
    const __m256 large = _mm256_cmp_ps(largest, _mm256_set1_ps(kSmallestMaximum), _CMP_GE_OQ);
    const __m256 codes = _mm256_set1_ps(kMaxCode);
    is_finite_ = _mm256_movemask_epi8(_mm256_cmpgt_epi32(bits, largest_finite)) == 0;
    scales_ = _mm256_and_ps(large, _mm256_div_ps(largest, codes));
    _mm256_store_ps(factors_, _mm256_and_ps(large, _mm256_div_ps(codes, largest)));
  }

  /// kMaxCode / largest magnitude, or 0.
  [[nodiscard]] float factor(int64_t row) const noexcept { return factors_[row]; }

  /// Unit by unit, and stores what sums start from (QuantizedRow).
  /// @param round_unit (unit): rounds all rows, returns the sums of their codes
  template <typename RoundUnit>
  static void round_units(int64_t size, int32_t* starts, int64_t starts_stride,
                          const RoundUnit& round_unit) noexcept {
    __m256i sum = _mm256_setzero_si256();
    for (int64_t unit = 0; unit < size / kDepthUnit; ++unit) {
      sum = _mm256_add_epi32(sum, round_unit(unit));
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(starts + unit * starts_stride),
          _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(sum, kZeroBits)));
    }
  }

 private:
  static constexpr int kZeroBits = 7;
  static_assert(kGridZero == 1 << kZeroBits);

  bool is_finite_;
  __m256 scales_;
  alignas(32) float factors_[kRows];
};

}  // namespace
}  // namespace aios
