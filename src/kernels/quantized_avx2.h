/// Eight-bit arithmetic of AVX2 for quantised weights: the signs of the points go over to the
/// activations, as one factor of a product of bytes has none. Only for translation units with those
/// flags. The contract stands in quantized_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_avx2.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

/// AVX2 for products of less than QuantizedOps<Avx2>::kFewRows rows.
struct Avx2FewRows : Avx2 {};

template <>
struct QuantizedOps<Avx2> {
  using Bytes = __m256i;
  static constexpr int64_t kRows = 8;
  static Bytes load(const uint8_t* address) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(address));
  }
  static Bytes replicate(const uint8_t* row_bytes) noexcept {
    const __m256i order = _mm256_set_epi64x(0x0707070706060606, 0x0505050504040404,
                                            0x0303030302020202, 0x0101010100000000);
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row_bytes));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), order);
  }
  static Bytes keep(Bytes v, uint16_t mask) noexcept {
    return _mm256_and_si256(v, _mm256_set1_epi16(static_cast<int16_t>(mask)));
  }
  template <int kBits>
  static Bytes shift_left(Bytes v) noexcept {
    return _mm256_slli_epi16(v, kBits);
  }
  template <int kBits>
  static Bytes shift_right(Bytes v) noexcept {
    return _mm256_srli_epi16(v, kBits);
  }
  static Bytes multiply_low(Bytes a, Bytes b) noexcept { return _mm256_mullo_epi16(a, b); }
  static Bytes multiply_high(Bytes a, Bytes b) noexcept { return _mm256_mulhi_epu16(a, b); }
  static Bytes join(Bytes upper, Bytes lower) noexcept {
    return _mm256_or_si256(keep(upper, 0xff00), lower);
  }
  static Bytes combine(Bytes a, Bytes b) noexcept { return _mm256_or_si256(a, b); }
  static Bytes add(Bytes a, Bytes b) noexcept { return _mm256_add_epi8(a, b); }

  static Bytes centred(Bytes points) noexcept {
    return _mm256_xor_si256(points, _mm256_set1_epi8(static_cast<char>(kGridZero)));
  }

  /// One factor of a product of bytes has no sign, so the other takes the point's: its bits are
  /// flipped where the point is negative, and what -x - 1 instead of -x adds to the products,
  /// minus the magnitude, is the same for every x (column_starts). Products are added in pairs to
  /// 16 bits and saturate there: two of at most 128 * 127, or 128 * -128, fit.
  struct Points {
    __m256i flips, magnitudes;
  };
  using Activations = __m256i;
  using Sums = __m256i;
  /// So many pay for column_starts.
  static constexpr int64_t kFewRows = 24;
  using FewRows = Avx2FewRows;
  static constexpr int64_t kPointBytes = 2;
  static constexpr bool kReadsCodes = false;
  static constexpr bool kMultipliesDecoded = true;
  static constexpr int kRowChains = 1;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 2;
  static void store_points(uint8_t* out, Bytes centred) noexcept {
    auto* const target = reinterpret_cast<__m256i*>(out);
    _mm256_store_si256(target, _mm256_cmpgt_epi8(_mm256_setzero_si256(), centred));
    _mm256_store_si256(target + 1, _mm256_abs_epi8(centred));
  }
  static Points load_points(const uint8_t* points) noexcept {
    const auto* const source = reinterpret_cast<const __m256i*>(points);
    return {_mm256_load_si256(source), _mm256_load_si256(source + 1)};
  }
  static Activations broadcast(const int8_t* x) noexcept {
    int32_t word = 0;
    __builtin_memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
  }
  static constexpr bool kStartsByColumn = true;
  static Sums start(int32_t /*value*/) noexcept { return zero(); }
  /// What sums of `words` words start from: the magnitudes of all negative points.
  static void column_starts(const uint8_t* points, int64_t words, int32_t* out) noexcept {
    __m256i pairs = _mm256_setzero_si256();  // of at most 2 * 128 for each of 32 words
    for (int64_t word = 0; word < words; ++word) {
      const Points p = load_points(points + word * kPanelRows * kWordDepth * kPointBytes);
      pairs = _mm256_sub_epi16(pairs, _mm256_maddubs_epi16(p.magnitudes, p.flips));
    }
    _mm256_store_si256(reinterpret_cast<__m256i*>(out),
                       _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Sums load_start(const int32_t* starts) noexcept {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(starts));
  }
  static Sums zero() noexcept { return _mm256_setzero_si256(); }
  /// By name: GCC 12 adds up the products of several words first, and runs out of registers.
  static Sums add_in_place(Sums sums, __m256i products) noexcept {
    asm("vpaddd %1, %0, %0" : "+x"(sums) : "x"(products));
    return sums;
  }
  /// The same of 16 bits.
  static __m256i add_pairs_in_place(__m256i sums, __m256i pairs) noexcept {
    asm("vpaddw %1, %0, %0" : "+x"(sums) : "x"(pairs));
    return sums;
  }
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
    const __m256i pairs =
        _mm256_maddubs_epi16(points.magnitudes, _mm256_xor_si256(x, points.flips));
    return add_in_place(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Sums dot_bytes(Sums sums, Bytes centred, Activations x) noexcept {
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(centred), _mm256_sign_epi8(x, centred));
    return add_in_place(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Sums add_sums(Sums a, Sums b) noexcept { return _mm256_add_epi32(a, b); }
  static __m256 to_floats(Sums sums) noexcept { return _mm256_cvtepi32_ps(sums); }

  using Codes = __m256i;
  static Codes round(__m256 v) noexcept { return _mm256_cvtps_epi32(v); }
  static Codes no_codes() noexcept { return _mm256_setzero_si256(); }
  static Codes add_codes(Codes a, Codes b) noexcept { return _mm256_add_epi32(a, b); }
  static int32_t sum_codes(Codes codes) noexcept {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 1)));
  }
  static void store_codes(int8_t* out, Codes codes) noexcept {
    const __m128i halves =
        _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packs_epi16(halves, halves));
  }
};

/// Points with their signs, which x takes over: no starts to be found, but sign changes take longer
/// than flips.
template <>
struct QuantizedOps<Avx2FewRows> : QuantizedOps<Avx2> {
  struct Points {
    __m256i values, magnitudes;
  };
  static constexpr int64_t kFewRows = 0;
  static constexpr bool kStartsByColumn = false;
  static void store_points(uint8_t* out, Bytes centred) noexcept {
    auto* const target = reinterpret_cast<__m256i*>(out);
    _mm256_store_si256(target, centred);
    _mm256_store_si256(target + 1, _mm256_abs_epi8(centred));
  }
  static Points load_points(const uint8_t* points) noexcept {
    const auto* const source = reinterpret_cast<const __m256i*>(points);
    return {_mm256_load_si256(source), _mm256_load_si256(source + 1)};
  }
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
    const __m256i pairs =
        _mm256_maddubs_epi16(points.magnitudes, _mm256_sign_epi8(x, points.values));
    return add_in_place(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace
}  // namespace aios
