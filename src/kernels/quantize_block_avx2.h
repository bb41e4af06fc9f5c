/// A block of eight rows of activations to 8 bits (quantize_rows_impl.h), on AVX2: what is found
/// for each row, it finds for all of them in one vector.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/eight_rows_avx2.h"
#include "kernels/isa_avx2.h"
#include "kernels/quantize_rows_impl.h"
#include "kernels/quantized_matmul.h"

namespace aios {
namespace {

template <>
class QuantizedBlock<Avx2> : public EightRows {
 public:
  using EightRows::kRows;

  /// Finds scales and factors of a stretch of `size` elements, a multiple of 8.
  QuantizedBlock(const float* x, int64_t x_stride, int64_t size) noexcept
      : EightRows(magnitudes(x, x_stride, size)) {}

  /// Rounds `size` elements, a multiple of kDepthUnit, of finite rows to `codes`
  /// [size / kWordDepth, kRows, kWordDepth], and stores what their sums start from.
  void round(const float* x, int64_t x_stride, int64_t size, int8_t* codes, int32_t* starts,
             int64_t starts_stride) const noexcept {
    round_units(size, starts, starts_stride, [&](int64_t unit) {
      return round_unit(x + unit * kDepthUnit, x_stride, codes + unit * kDepthUnit * kRows);
    });
  }

 private:
  /// Bits of each row's largest magnitude.
  static __m256i magnitudes(const float* x, int64_t x_stride, int64_t size) noexcept {
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i largest[kRows];
#pragma GCC unroll 8
    for (auto& row : largest) row = _mm256_setzero_si256();
    for (int64_t k = 0; k < size; k += Avx2::kLanes) {
#pragma GCC unroll 8
      for (int64_t m = 0; m < kRows; ++m) {
        const __m256i bits =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + m * x_stride + k));
        largest[m] = _mm256_max_epi32(largest[m], _mm256_and_si256(bits, magnitude));
      }
    }
    return maxima_of_rows(largest);
  }

  /// In each half of a vector pairs of rows meet, then pairs of pairs; at last the halves.
  static __m256i maxima_of_rows(const __m256i (&rows)[kRows]) noexcept {
    __m256i quads[2];  // four rows in each half
    for (int i = 0; i < 2; ++i) {
      const __m256i* const r = rows + 4 * i;
      const __m256i low =
          _mm256_max_epi32(_mm256_unpacklo_epi32(r[0], r[1]), _mm256_unpackhi_epi32(r[0], r[1]));
      const __m256i high =
          _mm256_max_epi32(_mm256_unpacklo_epi32(r[2], r[3]), _mm256_unpackhi_epi32(r[2], r[3]));
      quads[i] =
          _mm256_max_epi32(_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high));
    }
    return _mm256_max_epi32(_mm256_permute2x128_si256(quads[0], quads[1], 0x20),
                            _mm256_permute2x128_si256(quads[0], quads[1], 0x31));
  }

  /// A unit of all rows; returns the sums of their codes.
  [[nodiscard]] __m256i round_unit(const float* x, int64_t x_stride, int8_t* out) const noexcept {
    // A word pair i: words 2 i of four rows in the lower half, words 2 i + 1 in the upper.
    __m256i low[4];   // rows 0 to 3
    __m256i high[4];  // rows 4 to 7
    round_rows(x, x_stride, 0, low);
    round_rows(x, x_stride, 4, high);
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i pairs = _mm256_setzero_si256();  // at most eight times 2 * 127
    auto* const words = reinterpret_cast<__m256i*>(out);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m256i even = _mm256_permute2x128_si256(low[i], high[i], 0x20);
      const __m256i odd = _mm256_permute2x128_si256(low[i], high[i], 0x31);
      _mm256_storeu_si256(words + 2 * i, even);
      _mm256_storeu_si256(words + 2 * i + 1, odd);
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(ones, even));
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(ones, odd));
    }
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }

  /// Four rows from `first`, word pair by word pair.
  void round_rows(const float* x, int64_t x_stride, int64_t first,
                  __m256i (&out)[4]) const noexcept {
    __m256i rows[4];
#pragma GCC unroll 4
    for (int64_t m = 0; m < 4; ++m) {
      rows[m] = round_row(x + (first + m) * x_stride, factor(first + m));
    }
    const __m256i low01 = _mm256_unpacklo_epi32(rows[0], rows[1]);
    const __m256i low23 = _mm256_unpacklo_epi32(rows[2], rows[3]);
    const __m256i high01 = _mm256_unpackhi_epi32(rows[0], rows[1]);
    const __m256i high23 = _mm256_unpackhi_epi32(rows[2], rows[3]);
    out[0] = _mm256_unpacklo_epi64(low01, low23);
    out[1] = _mm256_unpackhi_epi64(low01, low23);
    out[2] = _mm256_unpacklo_epi64(high01, high23);
    out[3] = _mm256_unpackhi_epi64(high01, high23);
  }

  /// Thirty-two codes: words 0, 2, 4, 6, then 1, 3, 5, 7.
  static __m256i round_row(const float* x, float factor) noexcept {
    const __m256 factors = _mm256_set1_ps(factor);
    __m256i codes[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      codes[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), factors));
    }
    return _mm256_packs_epi16(_mm256_packs_epi32(codes[0], codes[1]),
                              _mm256_packs_epi32(codes[2], codes[3]));
  }
};

}  // namespace
}  // namespace aios
