/// Eight-bit arithmetic of AVX2 for quantised weights: points become 16 bits, whose products cannot
/// saturate. Only for translation units with those flags. The contract stands in
/// quantized_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/isa_avx2.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

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

  /// Two sums for each row, of even and odd pairs of steps: rows 0..3 and rows 4..7.
  struct Sums {
    __m256i low, high;
  };
  using Points = Sums;
  using Activations = __m256i;
  static constexpr int64_t kPointBytes = 2;
  static constexpr bool kReadsCodes = false;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 1;
  static void store_points(uint8_t* out, Bytes points) noexcept {
    const __m256i zero = _mm256_set1_epi16(128);
    auto* const target = reinterpret_cast<__m256i*>(out);
    const __m256i low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(points));
    const __m256i high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(points, 1));
    _mm256_store_si256(target, _mm256_sub_epi16(low, zero));
    _mm256_store_si256(target + 1, _mm256_sub_epi16(high, zero));
  }
  static Points load_points(const uint8_t* points) noexcept {
    const auto* const source = reinterpret_cast<const __m256i*>(points);
    return {_mm256_load_si256(source), _mm256_load_si256(source + 1)};
  }
  static Activations broadcast(const int8_t* x) noexcept {
    int32_t word = 0;
    __builtin_memcpy(&word, x, sizeof word);
    return _mm256_cvtepi8_epi16(_mm_set1_epi32(word));
  }
  static Sums start(int32_t /*value*/) noexcept { return zero(); }
  static Sums zero() noexcept { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
    return {_mm256_add_epi32(sums.low, _mm256_madd_epi16(points.low, x)),
            _mm256_add_epi32(sums.high, _mm256_madd_epi16(points.high, x))};
  }
  static Sums add_sums(Sums a, Sums b) noexcept {
    return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
  }
  static __m256 to_floats(Sums sums) noexcept {
    // Horizontal additions leave rows 0 1 4 5 2 3 6 7.
    const __m256i rows = _mm256_hadd_epi32(sums.low, sums.high);
    return _mm256_cvtepi32_ps(_mm256_permute4x64_epi64(rows, 0xd8));
  }

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

}  // namespace
}  // namespace aios
