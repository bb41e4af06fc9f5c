/// AVX-512 F, BW, VL and DQ: sixteen floats to a vector. Only for translation units with those
/// flags. The contract of an instruction set's struct stands here; the others follow it.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_sse.h"

namespace aios {
namespace {

struct Avx512 {
  using Vector = __m512;
  using Mask = __mmask16;
  static constexpr int kLanes = 16;
  /// Sums that a loop keeps in registers: enough to hide the latency of fma.
  static constexpr int kAccumulators = 24;
  /// Vectors of columns that they belong to: as few loads for each fma as registers allow.
  static constexpr int kColumnVectors = 4;

  static Vector zero() noexcept { return _mm512_setzero_ps(); }
  static Vector fill(float value) noexcept { return _mm512_set1_ps(value); }
  /// 0, 1, 2, ...
  static Vector lane_indices() noexcept {
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }

  // Any alignment. The `_part` forms touch the first `count` < kLanes elements only; what they do
  // not load is 0.
  static Vector load(const float* address) noexcept { return _mm512_loadu_ps(address); }
  static Vector load_part(const float* address, int64_t count) noexcept {
    return _mm512_maskz_loadu_ps(first(count), address);
  }
  static void store(float* address, Vector v) noexcept { _mm512_storeu_ps(address, v); }
  static void store_part(float* address, Vector v, int64_t count) noexcept {
    _mm512_mask_storeu_ps(address, first(count), v);
  }
  static Vector load_bf16(const uint16_t* address) noexcept {
    return widen_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(address)));
  }
  static Vector load_bf16_part(const uint16_t* address, int64_t count) noexcept {
    return widen_bf16(_mm256_maskz_loadu_epi16(first(count), address));
  }
  /// The first (lower) or second bf16 of each word.
  static Vector widen_first_bf16(Vector pairs) noexcept {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs), 16));
  }
  static Vector widen_second_bf16(Vector pairs) noexcept {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), mask));
  }
  static Vector load_f16(const uint16_t* address) noexcept {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(address)));
  }
  static Vector load_f16_part(const uint16_t* address, int64_t count) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(count), address));
  }

  static Vector add(Vector a, Vector b) noexcept { return _mm512_add_ps(a, b); }
  static Vector sub(Vector a, Vector b) noexcept { return _mm512_sub_ps(a, b); }
  static Vector mul(Vector a, Vector b) noexcept { return _mm512_mul_ps(a, b); }
  static Vector div(Vector a, Vector b) noexcept { return _mm512_div_ps(a, b); }
  /// a * b + c, rounded once
  static Vector fma(Vector a, Vector b, Vector c) noexcept { return _mm512_fmadd_ps(a, b, c); }
  // A NaN in `b` stays.
  static Vector max(Vector a, Vector b) noexcept { return _mm512_max_ps(a, b); }
  static Vector min(Vector a, Vector b) noexcept { return _mm512_min_ps(a, b); }
  static Vector abs(Vector a) noexcept { return _mm512_abs_ps(a); }
  /// To the nearest whole number, ties to even.
  static Vector round(Vector a) noexcept {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// 2^n for whole n in [-126, 128]; infinity for 128.
  static Vector pow2(Vector n) noexcept {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
  }
  static Mask less(Vector a, Vector b) noexcept { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static Vector select(Mask mask, Vector if_true, Vector if_false) noexcept {
    return _mm512_mask_blend_ps(mask, if_false, if_true);
  }

  // Reductions, each in one fixed order.
  static float sum(Vector v) noexcept { return sse_sum(fold(v)); }
  static float max_element(Vector v) noexcept { return _mm512_reduce_max_ps(v); }

  /// out[j][i] = rows[i][j] for kLanes rows of four words, which are moved as they are.
  static void transpose4(const float* rows, int64_t stride, Vector (&out)[4]) noexcept {
    __m512 v[4];  // v[i]: four words of rows i, i + 4, i + 8, i + 12
    for (int i = 0; i < 4; ++i) {
      const float* const row = rows + i * stride;
      __m512 quads = _mm512_castps128_ps512(_mm_loadu_ps(row));
      quads = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 4 * stride), 1);
      quads = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 8 * stride), 2);
      v[i] = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 12 * stride), 3);
    }
    const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(v[0], v[1]));
    const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(v[2], v[3]));
    const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(v[0], v[1]));
    const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(v[2], v[3]));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
  }

 private:
  static Mask first(int64_t count) noexcept { return static_cast<Mask>((1U << count) - 1U); }
  static Vector widen_bf16(__m256i bits) noexcept {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  /// The four quarters added: upper half to lower, then again.
  static __m128 fold(Vector v) noexcept {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

}  // namespace
}  // namespace aios
