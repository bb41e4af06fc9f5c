/// Blocks of int4 and int2 times a single row of activations on AVX2 (quantized_row_impl.h). What
/// the points of a block have in common is multiplied once, by the sum of its activations: of int4
/// the start, of int2 the step as well.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/block_bytes_avx2.h"
#include "kernels/isa_avx2.h"
#include "kernels/quantized_avx2.h"
#include "kernels/quantized_matmul.h"
#include "kernels/quantized_row_impl.h"

namespace aios {
namespace {

/// The codes of a step of x in the forms that blocks are multiplied by.
class RowCodes {
 public:
  /// @param x of the step, its words kWordStride bytes apart
  template <int64_t kWordStride>
  void gather(const int8_t* x, int64_t depth) noexcept {
    for (int64_t word = 0; word < depth / kWordDepth; ++word) {
      __builtin_memcpy(words_ + word, x + word * kWordStride, kWordDepth);
    }
    for (int64_t word = 0; word < depth / kWordDepth; word += 8) {
      const __m256i codes = load_bytes(words_ + word);
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes);
      const __m256i odd = _mm256_srai_epi16(codes, 8);
      const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8);
      store(even_ + word, even);
      store(odd_ + word, odd);
      store(sums_ + word, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
  }

  /// For each column: the four codes of a word; the first and third in 16 bits; the others.
  [[nodiscard]] __m256i word(int64_t i) const noexcept { return _mm256_set1_epi32(words_[i]); }
  [[nodiscard]] __m256i even(int64_t i) const noexcept { return _mm256_set1_epi32(even_[i]); }
  [[nodiscard]] __m256i odd(int64_t i) const noexcept { return _mm256_set1_epi32(odd_[i]); }
  /// The sum of the codes of `count` words.
  [[nodiscard]] int32_t sum(int64_t i, int64_t count) const noexcept {
    int32_t sum = 0;
    for (int64_t word = i; word < i + count; ++word) sum += sums_[word];
    return sum;
  }

 private:
  static constexpr int64_t kWords = kMaxGroup / kWordDepth;
  static void store(int32_t* out, __m256i v) noexcept {
    _mm256_store_si256(reinterpret_cast<__m256i*>(out), v);
  }
  alignas(32) int32_t words_[kWords];
  alignas(32) int32_t even_[kWords];
  alignas(32) int32_t odd_[kWords];
  alignas(32) int32_t sums_[kWords];
};

/// A unit of the depth.
template <QuantType kType>
class UnitBlocks<Avx2, kType> {
  using Ops = QuantizedOps<Avx2>;
  static constexpr int64_t kVectors = kPanelRows / Ops::kRows;
  static constexpr int64_t kUnitWords = kDepthUnit / kWordDepth;
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth;
  static constexpr int64_t kWordRow = kPanelRows * kWordDepth;

 public:
  static constexpr bool kCanAdd = kType != QuantType::kInt8;

  template <int64_t kWordStride>
  void set_codes(const int8_t* x, int64_t depth) noexcept {
    x_.gather<kWordStride>(x, depth);
  }

  /// Adds the products of a unit to the sums of each vector of rows.
  /// @param word of the step, the unit's first
  /// @return false, and nothing is added, if a point goes beyond 255 and is reduced
  bool add(const uint8_t* codes, const uint8_t* blocks, int64_t unit, int64_t word,
           __m256i (&sums)[kVectors]) const noexcept {
    if constexpr (kType == QuantType::kInt4) {
      return add_int4(codes + unit * (kUnitWords / 2) * kWordRow,
                      blocks + unit / 2 * 3 * kPanelRows, unit % 2, word, sums);
    } else {
      return add_int2(codes + 2 * unit * kWordRow, blocks + 2 * unit * kPanelRows, word, sums);
    }
  }

 private:
  static __m256i keep(__m256i v, int mask) noexcept {
    return _mm256_and_si256(v, _mm256_set1_epi16(static_cast<int16_t>(mask)));
  }
  static void accumulate(__m256i& sum, __m256i a, __m256i b) noexcept {
    sum = Ops::add_in_place(sum, _mm256_madd_epi16(a, b));
  }

  bool add_int4(const uint8_t* codes, const uint8_t* pair, int64_t own, int64_t word,
                __m256i (&sums)[kVectors]) const noexcept {
    const __m256i grid = load_bytes(pair + own * kPanelRows);
    const __m256i shared = load_bytes(pair + 2 * kPanelRows);
    const __m256i high =
        own == 0 ? _mm256_slli_epi16(keep(shared, 0x0f0f), 4) : keep(shared, 0xf0f0);
    const __m256i starts = _mm256_or_si256(high, _mm256_srli_epi16(keep(grid, 0xc0c0), 4));
    const __m256i steps = keep(grid, 0x3f3f);
    // 15 * step / 4, rounded down: 4 * step - (step + 3) / 4.
    const __m256i quarters =
        keep(_mm256_srli_epi16(_mm256_add_epi8(steps, _mm256_set1_epi8(3)), 2), 0x3f3f);
    BlockBytes block;
    if (!block.set(starts, steps, _mm256_sub_epi8(_mm256_slli_epi16(steps, 2), quarters))) {
      return false;
    }
    const __m256i sum_of_codes = _mm256_set1_epi32(x_.sum(word, kUnitWords) & 0xffff);
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      const __m256i step = block.steps(v * Ops::kRows);
      const __m256i step4 = _mm256_slli_epi16(step, 2);
      const __m256i step64 = _mm256_slli_epi16(step, 6);
      const __m256i step1024 = _mm256_slli_epi16(step, 10);
      __m256i sum = sums[v];
      accumulate(sum, block.starts(v * Ops::kRows), sum_of_codes);
#pragma GCC unroll 4
      for (int64_t i = 0; i < kUnitWords; i += 2) {
        // In each pair of bytes, from the top: even steps of words i + 1 and i, then odd ones.
        const uint8_t* const source = codes + i / 2 * kWordRow + v * kVectorBytes;
        PointDecoder<Ops>::fetch_codes(source);
        const __m256i raw = load_bytes(source);
        const __m256i first_odd = keep(_mm256_slli_epi16(raw, 4), 0x00f0);
        accumulate(sum, _mm256_mulhi_epu16(first_odd, step1024), x_.odd(word + i));
        accumulate(sum, _mm256_mulhi_epu16(keep(raw, 0x00f0), step1024), x_.odd(word + i + 1));
        accumulate(sum, _mm256_mulhi_epu16(keep(raw, 0x0f00), step64), x_.even(word + i));
        accumulate(sum, _mm256_mulhi_epu16(keep(raw, 0xf000), step4), x_.even(word + i + 1));
      }
      sums[v] = sum;
    }
    return true;
  }

  bool add_int2(const uint8_t* codes, const uint8_t* blocks, int64_t word,
                __m256i (&sums)[kVectors]) const noexcept {
    BlockBytes halves[2];
    for (int64_t half = 0; half < 2; ++half) {
      if (!halves[half].set_int2(blocks + half * kPanelRows)) return false;
    }
#pragma GCC unroll 2
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t first = word + half * (kUnitWords / 2);
      const __m256i sum_of_codes = _mm256_set1_epi32(x_.sum(first, kUnitWords / 2) & 0xffff);
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) {
        const uint8_t* const source = codes + half * kWordRow + v * kVectorBytes;
        PointDecoder<Ops>::fetch_codes(source);
        __m256i raw = load_bytes(source);
        __m256i products = _mm256_maddubs_epi16(keep(raw, 0x0303), x_.word(first));
#pragma GCC unroll 3
        for (int64_t i = 1; i < kUnitWords / 2; ++i) {
          raw = _mm256_srli_epi16(raw, 2);
          // Eight of at most 3 * 127 fit.
          products = _mm256_add_epi16(products,
                                      _mm256_maddubs_epi16(keep(raw, 0x0303), x_.word(first + i)));
        }
        __m256i sum = sums[v];
        accumulate(sum, products, halves[half].steps(v * Ops::kRows));
        accumulate(sum, halves[half].starts(v * Ops::kRows), sum_of_codes);
        sums[v] = sum;
      }
    }
    return true;
  }

  RowCodes x_;
};

}  // namespace
}  // namespace aios
