/// vector_rows.h on vectors. Byte products are an instruction set's own, so they are chosen by what
/// the translation unit is compiled for.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"

namespace aios {
namespace {

/// Products of kRows rows, `distance` rows apart.
template <typename Isa, typename Source, int64_t kRows>
void dot_distant_rows(const float* query, const typename Source::Stored* row, int64_t distance,
                      int64_t dimension, float* out) noexcept {
  constexpr int64_t kSums = 4;
  const int64_t stride = distance * dimension;
  typename Isa::Vector sums[kRows][kSums];
#pragma GCC unroll 2
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kSums; ++j) sums[i][j] = Isa::zero();
  }
  int64_t k = 0;
  for (; k + kSums * Isa::kLanes <= dimension; k += kSums * Isa::kLanes) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kSums; ++j) {
      const int64_t at = k + j * Isa::kLanes;
      const auto part = Isa::load(query + at);
#pragma GCC unroll 2
      for (int64_t i = 0; i < kRows; ++i) {
        sums[i][j] = Isa::fma(part, Source::load(row + i * stride + at), sums[i][j]);
      }
    }
  }
#pragma GCC unroll 2
  for (int64_t i = 0; i < kRows; ++i) {
    const auto* const stored = row + i * stride;
    int64_t at = k;
    for (; at + Isa::kLanes <= dimension; at += Isa::kLanes) {
      sums[i][0] = Isa::fma(Isa::load(query + at), Source::load(stored + at), sums[i][0]);
    }
    if (at < dimension) {
      const int64_t rest = dimension - at;
      sums[i][1] = Isa::fma(Isa::load_part(query + at, rest), Source::load_part(stored + at, rest),
                            sums[i][1]);
    }
    out[i * distance] =
        Isa::sum(Isa::add(Isa::add(sums[i][0], sums[i][1]), Isa::add(sums[i][2], sums[i][3])));
  }
}

/// One row of each half in turn: memory serves two places faster than one (docs/log.md).
template <typename Isa, typename Source>
void dot_rows(const float* query, const void* rows, int64_t num_rows, int64_t dimension,
              float* out) noexcept {
  const auto* const row = static_cast<const typename Source::Stored*>(rows);
  const int64_t half = num_rows / 2;
  for (int64_t i = 0; i < half; ++i) {
    dot_distant_rows<Isa, Source, 2>(query, row + i * dimension, half, dimension, out + i);
  }
  if (num_rows % 2 == 1) {
    const int64_t last = num_rows - 1;
    dot_distant_rows<Isa, Source, 1>(query, row + last * dimension, 0, dimension, out + last);
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

#if defined(__AVX512VNNI__)
/// The sum of each of four vectors.
inline __m128i sum_each(const __m512i* v) noexcept {
  const __m512i pair01 =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const __m512i pair23 =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  const __m512i quads = _mm512_add_epi32(_mm512_unpacklo_epi64(pair01, pair23),
                                         _mm512_unpackhi_epi64(pair01, pair23));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(quads), _mm512_extracti64x4_epi64(quads, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
#endif

inline void prefetch_row(const uint8_t* row, int64_t stride) noexcept {
  for (int64_t k = 0; k < stride; k += kListedRowUnit) __builtin_prefetch(row + k);
}

/// Rows are asked for some ahead of their turn: most come from memory.
inline void dot_listed_rows_u8(const int8_t* query, const uint8_t* rows, int64_t stride,
                               const uint32_t* ids, int64_t count, int32_t* out) noexcept {
  constexpr int64_t kAhead = 4;
  for (int64_t i = 0; i < count && i < kAhead; ++i) prefetch_row(rows + ids[i] * stride, stride);
  int64_t i = 0;
#if defined(__AVX512VNNI__)
  for (; i + 4 <= count; i += 4) {
    const uint8_t* row[4];
    __m512i sums[4];
    for (int j = 0; j < 4; ++j) {
      row[j] = rows + ids[i + j] * stride;
      sums[j] = _mm512_setzero_si512();
      if (i + j + kAhead < count) prefetch_row(rows + ids[i + j + kAhead] * stride, stride);
    }
    for (int64_t k = 0; k < stride; k += kListedRowUnit) {
      const __m512i part = _mm512_loadu_si512(query + k);
      for (int j = 0; j < 4; ++j) {
        sums[j] = _mm512_dpbusd_epi32(sums[j], _mm512_loadu_si512(row[j] + k), part);
      }
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), sum_each(sums));
  }
#endif
  for (; i < count; ++i) {
    if (i + kAhead < count) prefetch_row(rows + ids[i + kAhead] * stride, stride);
    out[i] = ByteProducts::sum(rows + ids[i] * stride, query, stride);
  }
}

/// Rows that all queries want stay in the nearest cache.
inline void dot_byte_matrix(const ByteMatrixArguments& a) noexcept {
  constexpr int64_t kRows = 16;
  for (int64_t row = 0; row < a.num_rows; row += kRows) {
    const int64_t count = a.num_rows - row < kRows ? a.num_rows - row : kRows;
    for (int64_t q = 0; q < a.num_queries; ++q) {
      int32_t* const out = a.out + q * a.out_stride + row;
      int64_t i = 0;
#if defined(__AVX512VNNI__)
      for (; i + 4 <= count; i += 4) {
        const uint8_t* const rows = a.rows + (row + i) * a.dimension;
        __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                           _mm512_setzero_si512()};
        for (int64_t k = 0; k < a.stride; k += kListedRowUnit) {
          const __m512i part = _mm512_loadu_si512(a.queries + q * a.stride + k);
          for (int j = 0; j < 4; ++j) {
            const __m512i bytes = _mm512_loadu_si512(rows + j * a.dimension + k);
            sums[j] = _mm512_dpbusd_epi32(sums[j], bytes, part);
          }
        }
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), sum_each(sums));
      }
#endif
      dot_rows_u8(a.queries + q * a.stride, a.rows + (row + i) * a.dimension, count - i,
                  a.dimension, out + i);
    }
  }
}

inline void scale_products(const int32_t* products, int32_t zero, float scale, const float* factors,
                           int64_t count, float* out) noexcept {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(products[i] - zero) * (scale * factors[i]);
  }
}

/// One byte of each of kBytes rows looked up in two tables of 16; sums of even and of odd rows
/// apart, then in order.
#if defined(__AVX512BW__)
struct CodeLookup {
  static constexpr int64_t kBytes = 64;
  using Bytes = __m512i;
  static Bytes zero() noexcept { return _mm512_setzero_si512(); }
  static Bytes look_up(const uint8_t* table, const uint8_t* codes) noexcept {
    const Bytes halves = _mm512_set1_epi8(15);
    const Bytes code = _mm512_loadu_si512(codes);
    const Bytes low = _mm512_broadcast_i32x4(load_table(table));
    const Bytes high = _mm512_broadcast_i32x4(load_table(table + 16));
    return _mm512_add_epi8(
        _mm512_shuffle_epi8(low, _mm512_and_si512(code, halves)),
        _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(code, 4), halves)));
  }
  static __m128i load_table(const uint8_t* table) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  }
  static Bytes add(Bytes a, Bytes b) noexcept { return _mm512_add_epi16(a, b); }
  static Bytes odd(Bytes sums) noexcept { return _mm512_srli_epi16(sums, 8); }
  static void store(Bytes all, Bytes odd, uint16_t* sums) noexcept {
    const Bytes even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
    // Interleaved within each 16 bytes, whose order is then put right.
    const Bytes first = _mm512_unpacklo_epi16(even, odd);
    const Bytes second = _mm512_unpackhi_epi16(even, odd);
    const Bytes order = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const Bytes rest = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    _mm512_storeu_si512(sums, _mm512_permutex2var_epi64(first, order, second));
    _mm512_storeu_si512(sums + 32, _mm512_permutex2var_epi64(first, rest, second));
  }
};
#elif defined(__AVX2__)
struct CodeLookup {
  static constexpr int64_t kBytes = 32;
  using Bytes = __m256i;
  static Bytes zero() noexcept { return _mm256_setzero_si256(); }
  static Bytes look_up(const uint8_t* table, const uint8_t* codes) noexcept {
    const Bytes halves = _mm256_set1_epi8(15);
    const Bytes code = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    const Bytes low = _mm256_broadcastsi128_si256(load_table(table));
    const Bytes high = _mm256_broadcastsi128_si256(load_table(table + 16));
    return _mm256_add_epi8(
        _mm256_shuffle_epi8(low, _mm256_and_si256(code, halves)),
        _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(code, 4), halves)));
  }
  static __m128i load_table(const uint8_t* table) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  }
  static Bytes add(Bytes a, Bytes b) noexcept { return _mm256_add_epi16(a, b); }
  static Bytes odd(Bytes sums) noexcept { return _mm256_srli_epi16(sums, 8); }
  static void store(Bytes all, Bytes odd, uint16_t* sums) noexcept {
    const Bytes even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
    const Bytes first = _mm256_unpacklo_epi16(even, odd);
    const Bytes second = _mm256_unpackhi_epi16(even, odd);
    auto* const out = reinterpret_cast<__m256i*>(sums);
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(first, second, 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(first, second, 0x31));
  }
};
#elif defined(__aarch64__)
struct CodeLookup {
  static constexpr int64_t kBytes = 16;
  using Bytes = uint16x8_t;
  static Bytes zero() noexcept { return vdupq_n_u16(0); }
  static Bytes look_up(const uint8_t* table, const uint8_t* codes) noexcept {
    const uint8x16_t code = vld1q_u8(codes);
    const uint8x16_t low = vqtbl1q_u8(vld1q_u8(table), vandq_u8(code, vdupq_n_u8(15)));
    const uint8x16_t high = vqtbl1q_u8(vld1q_u8(table + 16), vshrq_n_u8(code, 4));
    return vreinterpretq_u16_u8(vaddq_u8(low, high));
  }
  static Bytes add(Bytes a, Bytes b) noexcept { return vaddq_u16(a, b); }
  static Bytes odd(Bytes sums) noexcept { return vshrq_n_u16(sums, 8); }
  static void store(Bytes all, Bytes odd, uint16_t* sums) noexcept {
    const Bytes even = vsubq_u16(all, vshlq_n_u16(odd, 8));
    vst1q_u16(sums, vzip1q_u16(even, odd));
    vst1q_u16(sums + 8, vzip2q_u16(even, odd));
  }
};
#endif

inline void sum_codes(const uint8_t* table, const uint8_t* codes, int64_t num_panels,
                      int64_t num_bytes, uint16_t* sums) noexcept {
  constexpr int64_t kAhead = 8192;  // bytes; beyond the end there is nothing to fetch
  for (int64_t panel = 0; panel < num_panels; ++panel, codes += num_bytes * kCodePanelRows) {
    for (int64_t row = 0; row < kCodePanelRows;
         row += CodeLookup::kBytes, sums += CodeLookup::kBytes) {
      // Words of two bytes: `all` adds up even row + 256 * odd row, modulo 65536.
      auto all = CodeLookup::zero();
      auto odd = CodeLookup::zero();
      for (int64_t j = 0; j < num_bytes; ++j) {
        __builtin_prefetch(codes + j * kCodePanelRows + row + kAhead);
        const auto found = CodeLookup::look_up(table + 32 * j, codes + j * kCodePanelRows + row);
        all = CodeLookup::add(all, found);
        odd = CodeLookup::add(odd, CodeLookup::odd(found));
      }
      CodeLookup::store(all, odd, sums);
    }
  }
}

/// From `first` on, one by one.
inline int64_t select_rest(float* scores, const float* factors, const float* offsets, int64_t first,
                           int64_t count, float threshold, int32_t* selected) noexcept {
  int64_t num_selected = 0;
  for (int64_t i = first; i < count; ++i) {
    if (factors != nullptr) scores[i] *= factors[i];
    if (offsets != nullptr) scores[i] += offsets[i];
    selected[num_selected] = static_cast<int32_t>(i);  // there is room for count
    num_selected += scores[i] >= threshold ? 1 : 0;
  }
  return num_selected;
}

inline int64_t select_scores(float* scores, const float* factors, const float* offsets,
                             int64_t count, float threshold, int32_t* selected) noexcept {
  int64_t i = 0;
  int64_t num_selected = 0;
#if defined(__AVX512F__)
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 least = _mm512_set1_ps(threshold);
  for (; i + 16 <= count; i += 16) {
    __m512 score = _mm512_loadu_ps(scores + i);
    if (factors != nullptr) score = _mm512_mul_ps(score, _mm512_loadu_ps(factors + i));
    if (offsets != nullptr) score = _mm512_add_ps(score, _mm512_loadu_ps(offsets + i));
    _mm512_storeu_ps(scores + i, score);
    const __mmask16 mask = _mm512_cmp_ps_mask(score, least, _CMP_GE_OQ);
    if (mask == 0) continue;
    const __m512i index = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int32_t>(i)));
    _mm512_mask_compressstoreu_epi32(selected + num_selected, mask, index);
    num_selected += __builtin_popcount(mask);
  }
#endif
  return num_selected +
         select_rest(scores, factors, offsets, i, count, threshold, selected + num_selected);
}

}  // namespace
}  // namespace aios
