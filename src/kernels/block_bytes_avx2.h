/// Steps and starts of blocks of weights in the forms that AVX2 multiplies.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "tensor/quantized_matrix.h"

namespace aios {
namespace {

/// Weights of int2 that share a start and a step.
inline constexpr int64_t kInt2Block = QuantizedFormat{QuantType::kInt2}.block_size();

inline __m256i load_bytes(const void* address) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(address));
}
inline void store_bytes(void* address, __m256i v) noexcept {
  _mm256_storeu_si256(static_cast<__m256i*>(address), v);
}

/// Steps and starts of a panel's rows in one block, a byte each.
class BlockBytes {
 public:
  /// @param largest of the codes' points, without the start
  /// @return whether the starts leave room for that below 256
  bool set(__m256i starts, __m256i steps, __m256i largest) noexcept {
    const __m256i zero = _mm256_set1_epi8(static_cast<char>(kGridZero));
    _mm256_store_si256(reinterpret_cast<__m256i*>(steps_), steps);
    _mm256_store_si256(reinterpret_cast<__m256i*>(starts_), _mm256_xor_si256(starts, zero));
    const __m256i fits =
        _mm256_cmpeq_epi8(_mm256_adds_epu8(starts, largest), _mm256_add_epi8(starts, largest));
    return _mm256_movemask_epi8(fits) == -1;
  }
  /// Steps of eight rows, as a pair of 16-bit numbers for each.
  [[nodiscard]] __m256i steps(int64_t row) const noexcept {
    return spread(steps_ + row, _mm256_set_epi64x(static_cast<int64_t>(0x8007800780068006),
                                                  static_cast<int64_t>(0x8005800580048004),
                                                  static_cast<int64_t>(0x8003800380028002),
                                                  static_cast<int64_t>(0x8001800180008000)));
  }
  /// Starts minus 128, likewise.
  [[nodiscard]] __m256i starts(int64_t row) const noexcept {
    return _mm256_srai_epi16(
        spread(starts_ + row, _mm256_set_epi64x(0x0780078006800680, 0x0580058004800480,
                                                0x0380038002800280, 0x0180018000800080)),
        8);
  }

  /// Those of a block of int2; the steps are four times theirs.
  bool set_int2(const uint8_t* block) noexcept {
    const __m256i grid = load_bytes(block);
    const __m256i low = _mm256_set1_epi8(0x0f);
    const __m256i step4 = _mm256_slli_epi16(_mm256_and_si256(grid, low), 2);
    const __m256i starts = _mm256_srli_epi16(_mm256_andnot_si256(low, grid), 1);
    return set(starts, step4, _mm256_add_epi8(step4, _mm256_add_epi8(step4, step4)));
  }

 private:
  static __m256i spread(const uint8_t* bytes, __m256i order) noexcept {
    int64_t eight = 0;
    __builtin_memcpy(&eight, bytes, sizeof eight);
    return _mm256_shuffle_epi8(_mm256_set1_epi64x(eight), order);
  }
  alignas(32) uint8_t steps_[kPanelRows];
  alignas(32) uint8_t starts_[kPanelRows];
};

}  // namespace
}  // namespace aios
