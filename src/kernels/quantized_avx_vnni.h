/// Eight-bit arithmetic of AVX-VNNI for quantised weights: AVX2 with products of bytes. Only for
/// translation units with those flags, or with those of AVX-512 VNNI and VL, which encode the same
/// instruction another way. The contract stands in quantized_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_avx2.h"
#include "kernels/quantize_block_avx2.h"
#include "kernels/quantized_avx2.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

struct AvxVnni : Avx2 {};

template <>
struct QuantizedOps<AvxVnni> : QuantizedOps<Avx2> {
  static Bytes centred(Bytes points) noexcept { return points; }

  using Points = __m256i;
  using Activations = __m256i;
  using Sums = __m256i;
  static constexpr int64_t kPointBytes = 1;
  static constexpr int64_t kFewRows = 0;
  static constexpr bool kReadsCodes = true;
  static constexpr bool kMultipliesDecoded = true;
  static constexpr int kRowChains = 2;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 2;
  static void store_points(uint8_t* out, Bytes centred) noexcept {
    _mm256_store_si256(reinterpret_cast<__m256i*>(out), centred);
  }
  static Points load_points(const uint8_t* points) noexcept {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(points));
  }
  static Activations broadcast(const int8_t* x) noexcept {
    int32_t word = 0;
    __builtin_memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
  }
  static constexpr bool kStartsByColumn = false;
  static Sums start(int32_t value) noexcept { return _mm256_set1_epi32(value); }
  static Sums zero() noexcept { return _mm256_setzero_si256(); }
  /// By name, as in quantized_avx512.h.
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
#if defined(__AVXVNNI__)
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(points), "x"(x));
#else
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(points), "v"(x));
#endif
    return sums;
  }
  static Sums dot_bytes(Sums sums, Bytes points, Activations x) noexcept {
    return dot(sums, points, x);
  }
  static Sums add_sums(Sums a, Sums b) noexcept { return _mm256_add_epi32(a, b); }
  static __m256 to_floats(Sums sums) noexcept { return _mm256_cvtepi32_ps(sums); }
};

template <>
class QuantizedBlock<AvxVnni> : public QuantizedBlock<Avx2> {
 public:
  using QuantizedBlock<Avx2>::QuantizedBlock;
};

}  // namespace
}  // namespace aios
