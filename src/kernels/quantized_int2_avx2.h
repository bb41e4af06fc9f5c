/// Products of several rows of activations with int2 on AVX2 (quantized_matmul.h). Codes of two
/// bits are multiplied as they are: sums of a block's sixteen products fit 16 bits, where they meet
/// its step; its start meets the sum of its activations. Twice as many products to the instruction
/// as of points, which fit no sums of 16 bits. The integers are the same.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/block_bytes_avx2.h"
#include "kernels/isa_avx2.h"
#include "kernels/quantized_avx2.h"
#include "kernels/quantized_matmul.h"
#include "kernels/quantized_matmul_impl.h"
#include "kernels/quantized_results_impl.h"

namespace aios {
namespace {

template <>
class BlockMatmul<Avx2> {
  using Ops = QuantizedOps<Avx2>;
  static constexpr QuantizedLayout kLayout{};
  static constexpr int64_t kRowChunk = 64;
  static constexpr int64_t kMaxRows = 512;
  static constexpr int64_t kPartDepth = 1024;
  static constexpr int64_t kBlockWords = 4;  // of the depth
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth;
  static constexpr int64_t kRowBytes = kPanelRows * kWordDepth;  // four bytes of each column
  /// A unit of a panel, four bytes for each column: codes of eight words, steps of two blocks in
  /// pairs of 16 bits, and a pair of their starts.
  static constexpr int64_t kStepsPlace = 2 * kBlockWords * kRowBytes;
  static constexpr int64_t kStartsPlace = kStepsPlace + 2 * kRowBytes;
  static constexpr int64_t kUnitBytes = kStartsPlace + kRowBytes;
  static constexpr int kTileRows = 2;
  static constexpr int kTileVectors = 2;

 public:
  static constexpr bool kCanMultiply = true;

  explicit BlockMatmul(const QuantizedMatmulArguments& arguments) noexcept
      : a_(arguments),
        weights_(*arguments.weights),
        depth_(QuantizedFormat::padded(weights_.depth)),
        step_(weights_.format.group_size == 0 ? kMaxGroup : weights_.format.group_size) {}

  /// All rows by one panel of columns of the result.
  /// @return false, and nothing is done, if a point goes beyond 255 and is reduced
  bool multiply_panel(int64_t panel) noexcept {
    const int64_t own = a_.column / kPanelRows + panel;  // of the weights
    if (!stays_within_grid(own)) return false;
    for (int64_t row = 0; row < a_.rows; row += kMaxRows) {
      const int64_t rows = a_.rows - row < kMaxRows ? a_.rows - row : kMaxRows;
      const int64_t part_depth = rows <= kRowChunk ? kMaxGroup : kPartDepth;
      for (int64_t begin = 0; begin < depth_; begin += part_depth) {
        const int64_t end = depth_ - begin < part_depth ? depth_ : begin + part_depth;
        decode(own, begin, end);
        for (int64_t m = 0; m < rows; m += kRowChunk) {
          const int64_t chunk = rows - m < kRowChunk ? rows - m : kRowChunk;
          multiply_chunk(own, begin, end, row + m, chunk, sums_ + m * kPanelRows);
        }
      }
      PanelResults<Avx2>(a_, panel * kPanelRows).store(sums_, row, rows);
    }
    return true;
  }

 private:
  [[nodiscard]] bool stays_within_grid(int64_t panel) const noexcept {
    const uint8_t* const blocks = weights_.panel_blocks(panel);
    for (int64_t k = 0; k < depth_; k += kInt2Block) {
      if (!BlockBytes().set_int2(blocks + k / kInt2Block * kPanelRows)) return false;
    }
    return true;
  }

  /// Writes the units of [begin, end) of the depth.
  void decode(int64_t panel, int64_t begin, int64_t end) noexcept {
    const uint8_t* codes = weights_.panel_codes(panel) + begin / kInt2Block * kRowBytes;
    const uint8_t* blocks = weights_.panel_blocks(panel) + begin / kInt2Block * kPanelRows;
    uint8_t* out = units_;
    for (int64_t k = begin; k < end; k += kDepthUnit) {
      BlockBytes halves[2];
      for (int64_t half = 0; half < 2; ++half) halves[half].set_int2(blocks + half * kPanelRows);
      for (int64_t v = 0; v < kPanelRows / Ops::kRows; ++v) {
        uint8_t* const target = out + v * kVectorBytes;
        for (int64_t half = 0; half < 2; ++half) {
          PointDecoder<Ops>::fetch_codes(codes + half * kRowBytes + v * kVectorBytes);
          __m256i raw = load_bytes(codes + half * kRowBytes + v * kVectorBytes);
          for (int64_t word = 0; word < kBlockWords; ++word) {
            store_bytes(target + (half * kBlockWords + word) * kRowBytes,
                        _mm256_and_si256(raw, _mm256_set1_epi8(3)));
            raw = _mm256_srli_epi16(raw, 2);
          }
          store_bytes(target + kStepsPlace + half * kRowBytes, halves[half].steps(v * Ops::kRows));
        }
        store_bytes(target + kStartsPlace,
                    _mm256_blend_epi16(halves[0].starts(v * Ops::kRows),
                                       halves[1].starts(v * Ops::kRows), 0xaa));
      }
      codes += 2 * kRowBytes;
      blocks += 2 * kPanelRows;
      out += kUnitBytes;
    }
  }

  void multiply_chunk(int64_t panel, int64_t begin, int64_t end, int64_t row, int64_t rows,
                      float* sums) noexcept {
    for (int64_t k = begin; k < end; k += step_) {
      Step step;
      step.depth = end - k < step_ ? end - k : step_;
      step.units = units_ + (k - begin) / kDepthUnit * kUnitBytes;
      step.codes = a_.x + kLayout.row_offset(row, weights_.depth) + kLayout.step_offset(k);
      step.x_scales = a_.x_scales + k / kMaxGroup * a_.x_stride + row;
      step.sums = sums;
      step.adds = k > 0;
      alignas(32) float scales[kPanelRows];
      if (weights_.format.group_size != 0) {
        load_scales<Avx2>(weights_.panel_scales(panel) + k / step_ * kPanelRows, scales);
        step.scales = scales;
      }
      add_up_codes(step, rows);
      for (int64_t column = 0; column < kPanelRows; column += kTileVectors * Ops::kRows) {
        int64_t m = 0;
        for (; m + kTileRows <= rows; m += kTileRows) multiply_tile<kTileRows>(step, column, m);
        if (m < rows) multiply_tile<1>(step, column, m);
      }
    }
  }

  struct Step {
    int64_t depth = 0;
    const uint8_t* units = nullptr;
    const int8_t* codes = nullptr;  // of the chunk's first row
    const float* x_scales = nullptr;
    const float* scales = nullptr;  // [kPanelRows]; null: one for a whole row, not needed here
    float* sums = nullptr;          // [rows, kPanelRows]
    bool adds = false;              // to `sums`, else overwrites them
  };

  [[nodiscard]] const int8_t* codes_of(const Step& step, int64_t row) const noexcept {
    return step.codes + kLayout.row_offset(row, weights_.depth);
  }

  /// The sums of each row's codes in both blocks of each unit, a pair of 16 bits.
  void add_up_codes(const Step& step, int64_t rows) noexcept {
    for (int64_t m = 0; m < rows; m += kLayout.block_rows) {
      const int8_t* codes = codes_of(step, m);
      for (int64_t unit = 0; unit < step.depth / kDepthUnit; ++unit) {
        __m256i sums[2];
        for (auto& sum : sums) {
          __m256i pairs = _mm256_setzero_si256();
          for (int64_t word = 0; word < kBlockWords; ++word) {
            pairs = _mm256_add_epi16(pairs,
                                     _mm256_maddubs_epi16(_mm256_set1_epi8(1), load_bytes(codes)));
            codes += kVectorBytes;
          }
          sum = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        }
        store_bytes(block_sums_[unit] + m,
                    _mm256_blend_epi16(sums[0], _mm256_slli_epi32(sums[1], 16), 0xaa));
      }
    }
  }

  template <int kRows>
  void multiply_tile(const Step& step, int64_t column, int64_t row) const noexcept {
    __m256i sums[kRows][kTileVectors];
#pragma GCC unroll 2
    for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 2
      for (int n = 0; n < kTileVectors; ++n) sums[m][n] = Ops::zero();
    }
    const uint8_t* unit = step.units + column * kWordDepth;
    const int8_t* codes = codes_of(step, row);
    for (int64_t k = 0; k < step.depth; k += kDepthUnit) {
      multiply_unit<kRows>(unit, codes, block_sums_[k / kDepthUnit] + row, sums);
      unit += kUnitBytes;
      codes += kDepthUnit * kLayout.block_rows;
    }
#pragma GCC unroll 2
    for (int m = 0; m < kRows; ++m) {
      const __m256 x_scale = Avx2::fill(step.x_scales[row + m]);
#pragma GCC unroll 2
      for (int n = 0; n < kTileVectors; ++n) {
        const int64_t place = column + n * Ops::kRows;
        float* const sum = step.sums + (row + m) * kPanelRows + place;
        const __m256 before = step.adds ? Avx2::load(sum) : Avx2::zero();
        const __m256 whole = Ops::to_floats(sums[m][n]);
        Avx2::store(sum, step.scales == nullptr
                             ? Avx2::fma(whole, x_scale, before)
                             : Avx2::fma(Avx2::mul(whole, x_scale), Avx2::load(step.scales + place),
                                         before));
      }
    }
  }

  /// @param block_sums of these rows
  template <int kRows>
  static void multiply_unit(const uint8_t* unit, const int8_t* codes, const int32_t* block_sums,
                            __m256i (&sums)[kRows][kTileVectors]) noexcept {
#pragma GCC unroll 2
    for (int64_t half = 0; half < 2; ++half) {
      __m256i products[kRows][kTileVectors];  // eight of at most 3 * 127 in each 16 bits
#pragma GCC unroll 4
      for (int64_t i = 0; i < kBlockWords; ++i) {
        const int64_t word = half * kBlockWords + i;
#pragma GCC unroll 2
        for (int m = 0; m < kRows; ++m) {
          const __m256i x = Ops::broadcast(codes + word * kVectorBytes + m * kWordDepth);
#pragma GCC unroll 2
          for (int n = 0; n < kTileVectors; ++n) {
            const __m256i pairs =
                _mm256_maddubs_epi16(load_bytes(unit + word * kRowBytes + n * kVectorBytes), x);
            products[m][n] = i == 0 ? pairs : Ops::add_pairs_in_place(products[m][n], pairs);
          }
        }
      }
#pragma GCC unroll 2
      for (int n = 0; n < kTileVectors; ++n) {
        const __m256i steps = load_bytes(unit + kStepsPlace + half * kRowBytes + n * kVectorBytes);
#pragma GCC unroll 2
        for (int m = 0; m < kRows; ++m) {
          sums[m][n] = Ops::add_in_place(sums[m][n], _mm256_madd_epi16(products[m][n], steps));
        }
      }
    }
#pragma GCC unroll 2
    for (int n = 0; n < kTileVectors; ++n) {
      const __m256i starts = load_bytes(unit + kStartsPlace + n * kVectorBytes);
#pragma GCC unroll 2
      for (int m = 0; m < kRows; ++m) {
        const __m256i sum_of_codes = _mm256_set1_epi32(block_sums[m]);
        sums[m][n] = Ops::add_in_place(sums[m][n], _mm256_madd_epi16(starts, sum_of_codes));
      }
    }
  }

  const QuantizedMatmulArguments& a_;
  const QuantizedMatrix& weights_;
  int64_t depth_;
  int64_t step_;  // depth that is summed as integers
  alignas(64) int32_t block_sums_[kMaxGroup / kDepthUnit][kRowChunk];
  alignas(64) uint8_t units_[kPartDepth / kDepthUnit * kUnitBytes];
  alignas(64) float sums_[kMaxRows * kPanelRows];
};

}  // namespace
}  // namespace aios
