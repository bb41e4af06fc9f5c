/// vector_rows.h on vectors. Byte products are an instruction set's own, so they are chosen by what
/// the translation unit is compiled for.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"

namespace aios {
namespace {

template <typename Isa, typename Source>
void dot_rows(const float* query, const void* rows, int64_t num_rows, int64_t dimension,
              float* out) noexcept {
  const auto* row = static_cast<const typename Source::Stored*>(rows);
  for (int64_t i = 0; i < num_rows; ++i, row += dimension) {
    typename Isa::Vector sums[4] = {Isa::zero(), Isa::zero(), Isa::zero(), Isa::zero()};
    int64_t k = 0;
    for (; k + 4 * Isa::kLanes <= dimension; k += 4 * Isa::kLanes) {
      for (int j = 0; j < 4; ++j) {
        const int64_t at = k + j * Isa::kLanes;
        sums[j] = Isa::fma(Isa::load(query + at), Source::load(row + at), sums[j]);
      }
    }
    for (; k + Isa::kLanes <= dimension; k += Isa::kLanes) {
      sums[0] = Isa::fma(Isa::load(query + k), Source::load(row + k), sums[0]);
    }
    if (k < dimension) {
      const int64_t rest = dimension - k;
      sums[1] =
          Isa::fma(Isa::load_part(query + k, rest), Source::load_part(row + k, rest), sums[1]);
    }
    out[i] = Isa::sum(Isa::add(Isa::add(sums[0], sums[1]), Isa::add(sums[2], sums[3])));
  }
}

/// Sums of unsigned times signed bytes over whole stretches of `kBytes`.
#if defined(__AVX512VNNI__)
struct ByteProducts {
  static constexpr int64_t kBytes = 64;
  static int32_t sum(const uint8_t* row, const int8_t* query, int64_t size) noexcept {
    __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int64_t k = 0; k < size; k += kBytes) {
      __m512i& sum = sums[(k / kBytes) % 2];
      sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(row + k), _mm512_loadu_si512(query + k));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]));
  }
};
#elif defined(__AVX2__)
struct ByteProducts {
  static constexpr int64_t kBytes = 16;
  static int32_t sum(const uint8_t* row, const int8_t* query, int64_t size) noexcept {
    __m256i sums = _mm256_setzero_si256();  // vpmaddubsw would saturate: words are exact
    for (int64_t k = 0; k < size; k += kBytes) {
      const auto* const r = reinterpret_cast<const __m128i*>(row + k);
      const auto* const q = reinterpret_cast<const __m128i*>(query + k);
      sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(r)),
                                                      _mm256_cvtepi8_epi16(_mm_loadu_si128(q))));
    }
    __m128i quad = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    quad = _mm_add_epi32(quad, _mm_shuffle_epi32(quad, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(quad, _mm_shuffle_epi32(quad, 0xb1)));
  }
};
#elif defined(__aarch64__)
struct ByteProducts {
  static constexpr int64_t kBytes = 8;
  static int32_t sum(const uint8_t* row, const int8_t* query, int64_t size) noexcept {
    int32x4_t sums = vdupq_n_s32(0);
    for (int64_t k = 0; k < size; k += kBytes) {
      const int16x8_t r = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row + k)));
      const int16x8_t q = vmovl_s8(vld1_s8(query + k));
      sums = vmlal_s16(sums, vget_low_s16(r), vget_low_s16(q));
      sums = vmlal_s16(sums, vget_high_s16(r), vget_high_s16(q));
    }
    return vaddvq_s32(sums);
  }
};
#endif

inline void dot_rows_u8(const int8_t* query, const uint8_t* rows, int64_t num_rows,
                        int64_t dimension, int32_t* out) noexcept {
  const int64_t whole = dimension / ByteProducts::kBytes * ByteProducts::kBytes;
  for (int64_t i = 0; i < num_rows; ++i, rows += dimension) {
    int32_t sum = ByteProducts::sum(rows, query, whole);
    for (int64_t k = whole; k < dimension; ++k) sum += int32_t{query[k]} * rows[k];
    out[i] = sum;
  }
}

inline void hamming_rows(const uint64_t* query, const uint64_t* rows, int64_t num_rows,
                         int64_t num_words, int32_t* out) noexcept {
  for (int64_t i = 0; i < num_rows; ++i, rows += num_words) {
    int32_t sum = 0;
    for (int64_t k = 0; k < num_words; ++k) sum += __builtin_popcountll(query[k] ^ rows[k]);
    out[i] = sum;
  }
}

}  // namespace
}  // namespace aios
