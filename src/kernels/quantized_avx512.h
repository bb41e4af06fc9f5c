/// Eight-bit arithmetic of AVX-512 VNNI for quantised weights. Only for translation units with
/// those flags. The contract of such a struct stands here; the others follow it.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_avx512.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

template <>
struct QuantizedOps<Avx512> {
  // Bytes of the weights: words of four depth steps, one word for each of kRows rows.
  using Bytes = __m512i;
  static constexpr int64_t kRows = 16;
  static Bytes load(const uint8_t* address) noexcept { return _mm512_loadu_si512(address); }
  /// Each row's byte, four times.
  static Bytes replicate(const uint8_t* row_bytes) noexcept {
    const __m512i order = _mm512_set_epi64(
        0x0f0f0f0f0e0e0e0e, 0x0d0d0d0d0c0c0c0c, 0x0b0b0b0b0a0a0a0a, 0x0909090908080808,
        0x0707070706060606, 0x0505050504040404, 0x0303030302020202, 0x0101010100000000);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row_bytes));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(bytes), order);
  }
  // On pairs of bytes, as 16-bit integers.
  static Bytes keep(Bytes v, uint16_t mask) noexcept {
    return _mm512_and_si512(v, _mm512_set1_epi16(static_cast<int16_t>(mask)));
  }
  template <int kBits>
  static Bytes shift_left(Bytes v) noexcept {
    return _mm512_slli_epi16(v, kBits);
  }
  template <int kBits>
  static Bytes shift_right(Bytes v) noexcept {
    return _mm512_srli_epi16(v, kBits);
  }
  static Bytes multiply_low(Bytes a, Bytes b) noexcept { return _mm512_mullo_epi16(a, b); }
  static Bytes multiply_high(Bytes a, Bytes b) noexcept { return _mm512_mulhi_epu16(a, b); }
  /// The upper byte of each pair of `upper`, or `lower`.
  static Bytes join(Bytes upper, Bytes lower) noexcept {
    const __m512i mask = _mm512_set1_epi16(static_cast<int16_t>(0xff00));
    return _mm512_ternarylogic_epi32(upper, mask, lower, 0xea);  // (upper & mask) | lower
  }
  static Bytes combine(Bytes a, Bytes b) noexcept { return _mm512_or_si512(a, b); }
  static Bytes add(Bytes a, Bytes b) noexcept { return _mm512_add_epi8(a, b); }
  /// Points minus 128, where the products want them so.
  static Bytes centred(Bytes points) noexcept { return points; }

  // Points as the products read them: kPointBytes for one depth step of one row.
  using Points = __m512i;
  using Activations = __m512i;
  using Sums = __m512i;
  static constexpr int64_t kPointBytes = 1;
  /// Products of fewer rows are another struct's, `FewRows`.
  static constexpr int64_t kFewRows = 0;
  /// Whether int8's codes are read as they are.
  static constexpr bool kReadsCodes = true;
  /// Whether points for a single row are multiplied as they are decoded, and the sums of each
  /// vector of columns that take turns there.
  static constexpr bool kMultipliesDecoded = true;
  static constexpr int kRowChains = 2;
  /// Of two panels. Twice as many rows of one panel read x more often: Ice Lake becomes a tenth
  /// slower.
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 4;
  static void store_points(uint8_t* out, Bytes centred) noexcept {
    _mm512_store_si512(out, centred);
  }
  static Points load_points(const uint8_t* points) noexcept { return _mm512_load_si512(points); }
  /// Four steps of a row of activations.
  static Activations broadcast(const int8_t* x) noexcept {
    int32_t word = 0;
    __builtin_memcpy(&word, x, sizeof word);
    return _mm512_set1_epi32(word);
  }
  /// What sums start from that are not of centred points; see QuantizedRow. Or the columns say it,
  /// for all rows.
  static constexpr bool kStartsByColumn = false;
  static Sums start(int32_t value) noexcept { return _mm512_set1_epi32(value); }
  static Sums zero() noexcept { return _mm512_setzero_si512(); }
  /// By name: from the intrinsic GCC 12 makes a copy of the sums for each use in a loop.
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(points), "v"(x));
    return sums;
  }
  /// Of points as they are decoded.
  static Sums dot_bytes(Sums sums, Bytes centred, Activations x) noexcept {
    return dot(sums, centred, x);
  }
  static Sums add_sums(Sums a, Sums b) noexcept { return _mm512_add_epi32(a, b); }
  static __m512 to_floats(Sums sums) noexcept { return _mm512_cvtepi32_ps(sums); }

  /// Numbers in [-127, 127] to the nearest whole, ties to even.
  using Codes = __m512i;
  static Codes round(__m512 v) noexcept { return _mm512_cvtps_epi32(v); }
  static Codes no_codes() noexcept { return _mm512_setzero_si512(); }
  static Codes add_codes(Codes a, Codes b) noexcept { return _mm512_add_epi32(a, b); }
  static int32_t sum_codes(Codes codes) noexcept { return _mm512_reduce_add_epi32(codes); }
  /// Stores them as signed bytes.
  static void store_codes(int8_t* out, Codes codes) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtepi32_epi8(codes));
  }
};

}  // namespace
}  // namespace aios
