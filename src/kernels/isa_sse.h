/// What the wider x86 instruction sets do on four floats.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace aios {
namespace {

inline float sse_sum(__m128 v) noexcept {
  const __m128 pairs = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

inline void sse_transpose4(const float* rows, int64_t stride, float* out,
                           int64_t out_stride) noexcept {
  __m128 r0 = _mm_loadu_ps(rows);
  __m128 r1 = _mm_loadu_ps(rows + stride);
  __m128 r2 = _mm_loadu_ps(rows + 2 * stride);
  __m128 r3 = _mm_loadu_ps(rows + 3 * stride);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  _mm_storeu_ps(out, r0);
  _mm_storeu_ps(out + out_stride, r1);
  _mm_storeu_ps(out + 2 * out_stride, r2);
  _mm_storeu_ps(out + 3 * out_stride, r3);
}

}  // namespace
}  // namespace aios
