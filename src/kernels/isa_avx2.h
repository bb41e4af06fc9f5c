/// AVX2, FMA and F16C: eight floats to a vector. Only for translation units with those flags. The
/// contract stands in isa_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_sse.h"

namespace aios {
namespace {

struct Avx2 {
  using Vector = __m256;
  using Mask = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kAccumulators = 12;
  static constexpr int kColumnVectors = 2;

  static Vector zero() noexcept { return _mm256_setzero_ps(); }
  static Vector fill(float value) noexcept { return _mm256_set1_ps(value); }
  static Vector lane_indices() noexcept { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }

  static Vector load(const float* address) noexcept { return _mm256_loadu_ps(address); }
  static Vector load_part(const float* address, int64_t count) noexcept {
    return _mm256_maskload_ps(address, first(count));
  }
  static void store(float* address, Vector v) noexcept { _mm256_storeu_ps(address, v); }
  static void store_part(float* address, Vector v, int64_t count) noexcept {
    _mm256_maskstore_ps(address, first(count), v);
  }
  static Vector load_bf16(const uint16_t* address) noexcept {
    return widen_bf16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(address)));
  }
  static Vector load_bf16_part(const uint16_t* address, int64_t count) noexcept {
    return widen_bf16(load_words(address, count));
  }
  static Vector widen_first_bf16(Vector pairs) noexcept {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs), 16));
  }
  static Vector widen_second_bf16(Vector pairs) noexcept {
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffff0000));
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(pairs), mask));
  }
  static Vector load_f16(const uint16_t* address) noexcept {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(address)));
  }
  static Vector load_f16_part(const uint16_t* address, int64_t count) noexcept {
    return _mm256_cvtph_ps(load_words(address, count));
  }

  static Vector add(Vector a, Vector b) noexcept { return _mm256_add_ps(a, b); }
  static Vector sub(Vector a, Vector b) noexcept { return _mm256_sub_ps(a, b); }
  static Vector mul(Vector a, Vector b) noexcept { return _mm256_mul_ps(a, b); }
  static Vector div(Vector a, Vector b) noexcept { return _mm256_div_ps(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) noexcept { return _mm256_fmadd_ps(a, b, c); }
  static Vector max(Vector a, Vector b) noexcept { return _mm256_max_ps(a, b); }
  static Vector min(Vector a, Vector b) noexcept { return _mm256_min_ps(a, b); }
  static Vector abs(Vector a) noexcept { return _mm256_andnot_ps(fill(-0.0F), a); }
  static Vector round(Vector a) noexcept {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Vector pow2(Vector n) noexcept {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
  static Mask less(Vector a, Vector b) noexcept { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static Vector select(Mask mask, Vector if_true, Vector if_false) noexcept {
    return _mm256_blendv_ps(if_false, if_true, mask);
  }

  static float sum(Vector v) noexcept { return sse_sum(fold(v)); }
  static float max_element(Vector v) noexcept {
    const __m128 quad = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 pair = _mm_max_ps(quad, _mm_movehl_ps(quad, quad));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
  }

  static void transpose4(const float* rows, int64_t stride, Vector (&out)[4]) noexcept {
    __m256 v[4];  // v[i]: four words of rows i and i + 4
    for (int i = 0; i < 4; ++i) {
      const float* const row = rows + i * stride;
      v[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row)),
                                  _mm_loadu_ps(row + 4 * stride), 1);
    }
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(v[0], v[1]));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(v[2], v[3]));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(v[0], v[1]));
    const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(v[2], v[3]));
    out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
  }

 private:
  static __m256i first(int64_t count) noexcept {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lanes);
  }
  static __m128i load_words(const uint16_t* address, int64_t count) noexcept {
    alignas(16) uint16_t words[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) words[i] = address[i];
    return _mm_load_si128(reinterpret_cast<const __m128i*>(words));
  }
  static Vector widen_bf16(__m128i bits) noexcept {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  static __m128 fold(Vector v) noexcept {
    return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  }
};

}  // namespace
}  // namespace aios
