/// A block of eight rows of activations to 8 bits (quantize_rows_impl.h), on AVX-512 VNNI: what is
/// found for each row, it finds for all of them in one vector.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/eight_rows_avx2.h"
#include "kernels/isa_avx512.h"
#include "kernels/quantize_rows_impl.h"
#include "kernels/quantized_matmul.h"

namespace aios {
namespace {

template <>
class QuantizedBlock<Avx512> : public EightRows {
 public:
  using EightRows::kRows;

  /// Finds scales and factors of a stretch of `size` elements, a multiple of 16.
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
  static __m512i maximum(__m512i a, __m512i b) noexcept { return _mm512_max_epi32(a, b); }

  /// Bits of each row's largest magnitude.
  static __m256i magnitudes(const float* x, int64_t x_stride, int64_t size) noexcept {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512i largest[kRows];
#pragma GCC unroll 8
    for (auto& row : largest) row = _mm512_setzero_si512();
    for (int64_t k = 0; k < size; k += Avx512::kLanes) {
#pragma GCC unroll 8
      for (int64_t m = 0; m < kRows; ++m) {
        const __m512i bits = _mm512_loadu_si512(x + m * x_stride + k);
        largest[m] = maximum(largest[m], _mm512_and_si512(bits, magnitude));
      }
    }
    return maxima_of_rows(largest);
  }

  /// Halves of rows meet, then quarters, pairs and neighbours.
  static __m256i maxima_of_rows(const __m512i (&rows)[kRows]) noexcept {
    __m512i halves[4];  // rows m and m + 4
    for (int m = 0; m < 4; ++m) {
      halves[m] = maximum(_mm512_shuffle_i64x2(rows[m], rows[m + 4], 0x44),
                          _mm512_shuffle_i64x2(rows[m], rows[m + 4], 0xee));
    }
    __m512i quarters[2];  // rows m, m + 4, m + 1, m + 5 for m = 0, 2
    for (int m = 0; m < 2; ++m) {
      quarters[m] = maximum(_mm512_shuffle_i64x2(halves[2 * m], halves[2 * m + 1], 0x88),
                            _mm512_shuffle_i64x2(halves[2 * m], halves[2 * m + 1], 0xdd));
    }
    const __m512i pairs = maximum(_mm512_unpacklo_epi64(quarters[0], quarters[1]),
                                  _mm512_unpackhi_epi64(quarters[0], quarters[1]));
    // Pairs: rows 0, 2, 4, 6, 1, 3, 5, 7.
    const __m512i all = maximum(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_CDAB));
    const __m512i order = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 14, 6, 12, 4, 10, 2, 8, 0);
    return _mm512_castsi512_si256(_mm512_permutexvar_epi32(order, all));
  }

  /// A unit of all rows; returns the sums of their codes.
  [[nodiscard]] __m256i round_unit(const float* x, int64_t x_stride, int8_t* out) const noexcept {
    // Quarter i of `pairs[m]`: words i and 4 + i of row 2 m, then those of row 2 m + 1.
    __m512i pairs[4];
#pragma GCC unroll 4
    for (int64_t m = 0; m < 4; ++m) {
      const float* const row = x + 2 * m * x_stride;
      pairs[m] = _mm512_packs_epi16(round_row(row, factor(2 * m)),
                                    round_row(row + x_stride, factor(2 * m + 1)));
    }
    const __m512i first_words = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i last_words = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {  // words i, then 4 + i
      const __m512i low =
          half == 0 ? even_words(pairs[0], pairs[1]) : odd_words(pairs[0], pairs[1]);
      const __m512i high =
          half == 0 ? even_words(pairs[2], pairs[3]) : odd_words(pairs[2], pairs[3]);
      const __m512i first = _mm512_permutex2var_epi64(low, first_words, high);
      const __m512i last = _mm512_permutex2var_epi64(low, last_words, high);
      _mm512_storeu_si512(out + half * 128, first);
      _mm512_storeu_si512(out + half * 128 + 64, last);
      sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, ones, first), ones, last);
    }
    return _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
  }

  /// Thirty-two codes of 16 bits: quarter i has elements 4 i to 4 i + 3, then 16 + 4 i onwards.
  static __m512i round_row(const float* x, float factor) noexcept {
    const __m512 factors = _mm512_set1_ps(factor);
    return _mm512_packs_epi32(
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), factors)),
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + Avx512::kLanes), factors)));
  }
  /// Of each quarter, the first and third words of `a`, then of `b`.
  static __m512i even_words(__m512i a, __m512i b) noexcept {
    return _mm512_castps_si512(
        _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0x88));
  }
  static __m512i odd_words(__m512i a, __m512i b) noexcept {
    return _mm512_castps_si512(
        _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0xdd));
  }
};

}  // namespace
}  // namespace aios
