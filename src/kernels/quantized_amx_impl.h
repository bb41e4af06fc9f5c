/// quantized_matmul.h on AMX's tiles of bytes. Only for translation units with those flags.
///
/// A slice of kMaxGroup steps of a panel's points is a right operand as it lies: words of four
/// steps for thirty-two columns. Activations are turned into left operands, sixteen rows of 64
/// steps, once for all panels of a call. A step's sums of integers leave the tiles and are added
/// in f32 while the tiles multiply the next block: the same bits as the reference.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/amx_tiles.h"
#include "kernels/quantized_avx512.h"
#include "kernels/quantized_matmul_impl.h"

namespace aios {
namespace {

class AmxQuantizedMatmul {
  using Ops = QuantizedOps<Avx512>;
  using Vector = Avx512::Vector;
  static constexpr int64_t kTileRows = 16;
  static constexpr int64_t kTileDepth = 64;
  static constexpr int64_t kTileBytes = kTileRows * kTileDepth;
  static constexpr int64_t kTilesOfSlice = kMaxGroup / kTileDepth;
  static constexpr int64_t kBlock = 2 * kTileRows;  // rows of x by columns of two tiles each
  static constexpr int64_t kRowChunk = 128;
  static constexpr int64_t kColumnChunk = 256;
  static constexpr int64_t kWordBytes = kPanelRows * kWordDepth;
  static_assert(kBlock == kPanelRows);
  /// Below, most rows of a tile would be nobody's.
  static constexpr int64_t kMinRows = 8;

 public:
  static void run(const QuantizedMatmulArguments& arguments) noexcept {
    if (arguments.rows < kMinRows) return QuantizedMatmul<Avx512>::run(arguments);
    AmxQuantizedMatmul(arguments).multiply();
  }

 private:
  /// A step's integer sums of a block, and where they are to be added.
  struct Block {
    const int32_t* sums = nullptr;  // [rows, kBlock]
    const float* x_scales = nullptr;
    const int32_t* x_sums = nullptr;   // before the step
    int64_t units = 0;                 // of kDepthUnit in the step
    const uint16_t* scales = nullptr;  // not for whole rows
    float* out = nullptr;              // [rows, kColumnChunk]
    int64_t rows = 0;
    bool adds = false;
  };

  explicit AmxQuantizedMatmul(const QuantizedMatmulArguments& arguments) noexcept
      : a_(arguments),
        weights_(*arguments.weights),
        depth_(QuantizedFormat::padded(weights_.depth)),
        whole_rows_(weights_.format.group_size == 0),
        step_(whole_rows_ ? kMaxGroup : weights_.format.group_size),
        tile_depth_(step_ < kTileDepth ? step_ : kTileDepth) {}

  void multiply() noexcept {
    configure();
    for (int64_t column = 0; column < a_.columns; column += kColumnChunk) {
      const int64_t columns = at_most(kColumnChunk, a_.columns - column);
      for (int64_t row = 0; row < a_.rows; row += kRowChunk) {
        const int64_t rows = at_most(kRowChunk, a_.rows - row);
        for (int64_t begin = 0; begin < depth_; begin += kMaxGroup) {
          multiply_slice(column, columns, row, rows, begin, at_most(kMaxGroup, depth_ - begin));
        }
        add(last_);
        last_ = {};
        store(column, columns, row, rows);
      }
    }
    _tile_release();
  }

  /// Tiles 0 to 3: sums; 4, 5: x, tile_depth_ steps; 6, 7: points.
  void configure() const noexcept {
    TileShapes tiles;
    for (int i = 0; i < 8; ++i) {
      const bool is_x = i == 4 || i == 5;
      tiles.row_bytes[i] = static_cast<uint16_t>(is_x ? tile_depth_ : kTileDepth);
      tiles.rows[i] = static_cast<uint8_t>(i < 6 ? kTileRows : tile_depth_ / kWordDepth);
    }
    tiles.load();
  }

  void multiply_slice(int64_t column, int64_t columns, int64_t row, int64_t rows, int64_t begin,
                      int64_t count) noexcept {
    turn_x(row, rows, begin, count);
    for (int64_t n = 0; n < columns; n += kPanelRows) {
      const int64_t panel = (a_.column + column + n) / kPanelRows;
      const uint8_t* const points = panel_points(panel, begin, count);
      const uint16_t* const scales =
          whole_rows_ ? nullptr : weights_.panel_scales(panel) + begin / step_ * kPanelRows;
      for (int64_t k = 0; k < count; k += step_) {
        const int64_t steps = at_most(step_, count - k);
        for (int64_t m = 0; m < rows; m += kBlock) {
          const int64_t block_rows = at_most(kBlock, rows - m);
          int32_t* const sums = sums_[last_.sums == sums_[0]];
          multiply_block(m, block_rows, points + k / kWordDepth * kWordBytes, k, steps, sums);
          add(last_);
          last_ = {.sums = sums,
                   .x_scales = a_.x_scales + (row + m) * a_.scales_stride + begin / kMaxGroup,
                   .x_sums = a_.x_sums + (row + m) * a_.sums_stride + (begin + k) / kDepthUnit,
                   .units = steps / kDepthUnit,
                   .scales = scales + k / step_ * kPanelRows,
                   .out = out_ + m * kColumnChunk + n,
                   .rows = block_rows,
                   .adds = begin + k > 0};
        }
      }
    }
  }

  /// x_[tile of rows][tile of depth]: rows of 64 steps, zeros behind the depth. Rows behind the
  /// last block of activations keep what they hold: their sums are nobody's.
  void turn_x(int64_t row, int64_t rows, int64_t begin, int64_t count) noexcept {
    constexpr int64_t kTileWords = kTileDepth / kWordDepth;
    for (int64_t m = 0; m < rows; m += kBlockRows) {
      const auto* const words = reinterpret_cast<const float*>(
          a_.x + quantized_row_offset(row + m, weights_.depth) + begin * kBlockRows);
      for (int64_t k = 0; k < count; k += kTileDepth) {
        const float* source = words + k / kWordDepth * kBlockRows;
        alignas(64) float rest[kTileWords * kBlockRows] = {};
        if (count - k < kTileDepth) {
          for (int64_t i = 0; i < (count - k) / kWordDepth * kBlockRows; ++i) rest[i] = source[i];
          source = rest;
        }
        float* const tile = x_[m / kTileRows][k / kTileDepth] + m % kTileRows * kTileWords;
        for (int64_t i = 0; i < kBlockRows; i += 4) {
          Avx512::transpose4(source + i, kBlockRows, tile + i * kTileWords, kTileWords);
        }
      }
    }
    asm volatile("" ::"r"(x_) : "memory");  // GCC does not know that tiles read memory
  }

  const uint8_t* panel_points(int64_t panel, int64_t begin, int64_t count) noexcept {
    if (weights_.format.type == QuantType::kInt8 && count % tile_depth_ == 0) {
      return weights_.panel_codes(panel) + begin * kPanelRows;
    }
    PointDecoder<Ops>::decode(weights_, panel, begin, begin + count, points_);
    asm volatile("" ::"r"(points_) : "memory");
    return points_;
  }

  /// sums = rows [m, m + rows) of x times `steps` steps of the points, from step k of the slice.
  void multiply_block(int64_t m, int64_t rows, const uint8_t* points, int64_t k, int64_t steps,
                      int32_t* sums) const noexcept {
    const int64_t group = m / kTileRows;
    if (rows > kTileRows) {
      multiply_tiles<true>(group, points, k, steps, sums);
    } else {
      multiply_tiles<false>(group, points, k, steps, sums);
    }
  }

  template <bool kTwoX>
  void multiply_tiles(int64_t group, const uint8_t* points, int64_t k, int64_t steps,
                      int32_t* sums) const noexcept {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t i = 0; i < steps; i += tile_depth_) {
      const int64_t tile = (k + i) / kTileDepth;
      const int64_t word = (k + i) % kTileDepth / kWordDepth;
      _tile_loadd(6, points, kWordBytes);
      _tile_loadd(4, x_[group][tile] + word, kTileDepth);
      _tile_dpbsud(0, 4, 6);
      _tile_loadd(7, points + kWordBytes / 2, kWordBytes);
      _tile_dpbsud(1, 4, 7);
      if constexpr (kTwoX) {
        _tile_loadd(5, x_[group + 1][tile] + word, kTileDepth);
        _tile_dpbsud(2, 5, 6);
        _tile_dpbsud(3, 5, 7);
      }
      points += tile_depth_ / kWordDepth * kWordBytes;
    }
    constexpr int64_t kStride = kBlock * sizeof(int32_t);
    _tile_stored(0, sums, kStride);
    _tile_stored(1, sums + kTileRows, kStride);
    if constexpr (kTwoX) {
      _tile_stored(2, sums + kTileRows * kBlock, kStride);
      _tile_stored(3, sums + kTileRows * kBlock + kTileRows, kStride);
    }
  }

  void add(const Block& block) const noexcept {
    if (whole_rows_) {
      add_sums<true>(block);
    } else {
      add_sums<false>(block);
    }
  }

  template <bool kWholeRows>
  void add_sums(const Block& block) const noexcept {
    if (block.rows == 0) return;
    Vector scales[2] = {};
    if constexpr (!kWholeRows) {
      scales[0] = Avx512::load_f16(block.scales);
      scales[1] = Avx512::load_f16(block.scales + kTileRows);
    }
    for (int64_t m = 0; m < block.rows; ++m) {
      const int32_t* const x_sums = block.x_sums + m * a_.sums_stride;
      const __m512i start = Ops::start(x_sums[block.units] - x_sums[0]);
      const Vector x_scale = Avx512::fill(block.x_scales[m * a_.scales_stride]);
      for (int64_t n = 0; n < 2; ++n) {
        const __m512i sum = _mm512_load_si512(block.sums + m * kBlock + n * kTileRows);
        const Vector whole = Ops::to_floats(Ops::add_sums(sum, start));
        float* const out = block.out + m * kColumnChunk + n * kTileRows;
        const Vector before = block.adds ? Avx512::load(out) : Avx512::zero();
        Avx512::store(out, kWholeRows
                               ? Avx512::fma(whole, x_scale, before)
                               : Avx512::fma(Avx512::mul(whole, x_scale), scales[n], before));
      }
    }
  }

  /// out_, times the rows' scales if they have one each.
  void store(int64_t column, int64_t columns, int64_t row, int64_t rows) const noexcept {
    for (int64_t n = 0; n < columns; n += Avx512::kLanes) {
      const int64_t weight_row = a_.column + column + n;
      const uint16_t* const scales =
          weights_.panel_scales(weight_row / kPanelRows) + weight_row % kPanelRows;
      const Vector scale = whole_rows_ ? Avx512::load_f16(scales) : Avx512::fill(1);
      for (int64_t m = 0; m < rows; ++m) {
        store_up_to<Avx512>(a_.out + (row + m) * a_.out_stride + column + n,
                            Avx512::mul(Avx512::load(out_ + m * kColumnChunk + n), scale),
                            at_most(Avx512::kLanes, columns - n));
      }
    }
  }

  const QuantizedMatmulArguments& a_;
  const QuantizedMatrix& weights_;
  int64_t depth_;
  bool whole_rows_;     // share one scale
  int64_t step_;        // depth that is summed as integers
  int64_t tile_depth_;  // of it at a time
  Block last_;
  alignas(64) float x_[kRowChunk / kTileRows][kTilesOfSlice][kTileBytes / sizeof(float)];
  alignas(64) uint8_t points_[kMaxGroup * kPanelRows] = {};
  alignas(64) int32_t sums_[2][kBlock * kBlock];
  alignas(64) float out_[kRowChunk * kColumnChunk];
};

}  // namespace
}  // namespace aios
