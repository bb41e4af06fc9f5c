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

}  // namespace
}  // namespace aios
