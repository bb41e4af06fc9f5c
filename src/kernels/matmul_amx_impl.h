/// matmul.h on AMX's tiles of bf16. Only for translation units with those flags.
///
/// A tile of weights is sixteen rows of the matrix where it lies; a tile of x is thirty-two
/// elements of a group of sixteen rows, pair by pair (`bf16_offset`). Their product is transposed,
/// a tile row per weight row, and turned on its way out, while the next block is multiplied. Every
/// result is one sum over the depth in ascending order, whatever the tile.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/amx_tiles.h"
#include "kernels/elementwise_impl.h"
#include "kernels/isa_avx512.h"
#include "kernels/matmul.h"

namespace aios {
namespace {

class AmxMatmul {
  static constexpr int64_t kTileRows = 16;
  static constexpr int64_t kTileDepth = 32;
  static constexpr int64_t kTileBytes = 64;                // of a tile's row
  static constexpr int64_t kBlockColumns = 2 * kTileRows;  // two tiles of weights
  static constexpr int64_t kBlockRows = 2 * kTileRows;     // by two tiles of x
  /// The first store of a tile after some 2,300 cycles without one costs 850 (measured on a Xeon of
  /// family 6, model 167): the unit falls asleep. A small one every so many steps keeps it awake.
  static constexpr int64_t kAwakeDepth = 8 * kTileDepth;
  static constexpr int64_t kTurnedRows = 4;  // at a time

 public:
  static void run(const MatmulArguments& arguments) noexcept { AmxMatmul(arguments).multiply(); }

 private:
  explicit AmxMatmul(const MatmulArguments& arguments) noexcept
      : a_(arguments), whole_depth_(arguments.depth / kTileDepth * kTileDepth) {}

  void multiply() noexcept {
    constexpr int64_t kCachedElements = 512 * 1024;  // of x, in the second-level cache
    const int64_t share = kCachedElements / (a_.x_stride * kBlockRows);
    const int64_t row_share = (share > 0 ? share : 1) * kBlockRows;
    for (int64_t row = 0; row < a_.rows; row += row_share) {
      const int64_t end = row + row_share < a_.rows ? row + row_share : a_.rows;
      multiply_rows(row, end);
    }
    turn_rest();
    _tile_release();
  }

  /// Rows [begin, end) of x pass over the weights.
  void multiply_rows(int64_t begin, int64_t end) noexcept {
    int64_t configured = 0;
    for (int64_t column = 0; column < a_.columns; column += kBlockColumns) {
      const int64_t columns = at_most(kBlockColumns, a_.columns - column);
      if (columns != configured) configure(columns);
      configured = columns;
      if (whole_depth_ < a_.depth) stage_rest(column, columns);
      for (int64_t row = begin; row < end; row += kBlockRows) {
        multiply_block(column, columns, row, at_most(kBlockRows, end - row));
      }
    }
  }

  /// Tiles 0 to 3: sums; 4, 5: weights; 6, 7: x. `columns` rows of weights in the first two.
  static void configure(int64_t columns) noexcept {
    TileShapes tiles;
    const auto first = static_cast<uint8_t>(at_most(kTileRows, columns));
    const auto second = static_cast<uint8_t>(columns > kTileRows ? columns - kTileRows : kTileRows);
    const uint8_t rows[8] = {first, first, second, second, first, second, kTileRows, kTileRows};
    for (int i = 0; i < 8; ++i) {
      tiles.row_bytes[i] = kTileBytes;
      tiles.rows[i] = rows[i];
    }
    tiles.load();
  }

  [[nodiscard]] const uint16_t* weight(int64_t row, int64_t k) const noexcept {
    return static_cast<const uint16_t*>(a_.weights) + row * a_.weight_stride + k;
  }

  /// The last elements of each weight row, filled up with zeros: a tile would read on behind them.
  void stage_rest(int64_t column, int64_t columns) noexcept {
    const auto mask = static_cast<__mmask32>((uint64_t{1} << (a_.depth - whole_depth_)) - 1);
    for (int64_t n = 0; n < columns; ++n) {
      _mm512_store_si512(staged_ + n * kTileDepth,
                         _mm512_maskz_loadu_epi16(mask, weight(column + n, whole_depth_)));
    }
    asm volatile("" ::"r"(staged_) : "memory");  // GCC does not know that tiles read memory
  }

  void multiply_block(int64_t column, int64_t columns, int64_t row, int64_t rows) noexcept {
    const auto* const x = static_cast<const uint16_t*>(a_.x) + row * a_.x_stride;
    float* const out = a_.out + row * a_.out_stride + column;
    const bool two_weights = columns > kTileRows;
    const bool two_x = rows > kTileRows;
    if (two_weights && two_x) {
      multiply_tiles<true, true>(column, x);
    } else if (two_weights) {
      multiply_tiles<true, false>(column, x);
    } else if (two_x) {
      multiply_tiles<false, true>(column, x);
    } else {
      multiply_tiles<false, false>(column, x);
    }
    turn_rest();
    if (rows == kBlockRows && columns == kBlockColumns) {
      out_ = out;
      turned_rows_ = 0;
      other_sums_ = sums_;
      sums_ = sums_ == buffers_[0] ? buffers_[1] : buffers_[0];
    } else {
      store_block(out, rows, columns);
    }
  }

  template <bool kTwoWeights, bool kTwoX>
  void multiply_tiles(int64_t column, const uint16_t* x) noexcept {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const uint16_t* const weights = weight(column, 0);
    for (int64_t k = 0; k < whole_depth_; k += kTileDepth) {
      step<kTwoWeights, kTwoX>(weights + k, a_.weight_stride, x + k * kTileRows);
      if (k % kAwakeDepth == 0) _tile_stored(6, awake_, 0);
      if (turned_rows_ < kBlockRows) turn_rows();
    }
    if (whole_depth_ < a_.depth) {
      step<kTwoWeights, kTwoX>(staged_, kTileDepth, x + whole_depth_ * kTileRows);
    }
    _tile_stored(0, sums_, kBlockRows * sizeof(float));
    if constexpr (kTwoX) _tile_stored(1, sums_ + kTileRows, kBlockRows * sizeof(float));
    if constexpr (kTwoWeights) {
      float* const second = sums_ + kTileRows * kBlockRows;
      _tile_stored(2, second, kBlockRows * sizeof(float));
      if constexpr (kTwoX) _tile_stored(3, second + kTileRows, kBlockRows * sizeof(float));
    }
  }

  /// x streams past the first-level cache, where the block's weights stay.
  template <bool kTwoWeights, bool kTwoX>
  void step(const uint16_t* weights, int64_t stride, const uint16_t* x) const noexcept {
    const int64_t stride_bytes = stride * static_cast<int64_t>(sizeof(uint16_t));
    _tile_loadd(4, weights, stride_bytes);
    _tile_stream_loadd(6, x, kTileBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kTwoX) {
      _tile_stream_loadd(7, x + kTileRows * a_.x_stride, kTileBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kTwoWeights) {
      _tile_loadd(5, weights + kTileRows * stride, stride_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (kTwoX) _tile_dpbf16ps(3, 5, 7);
    }
  }

  /// Turns the next rows of the last whole block.
  void turn_rows() noexcept {
    const float* const sums = other_sums_ + turned_rows_;
    float* const target = out_ + turned_rows_ * a_.out_stride;
    transpose4<Avx512>(sums, kBlockRows, target, a_.out_stride);
    transpose4<Avx512>(sums + kTileRows * kBlockRows, kBlockRows, target + kTileRows,
                       a_.out_stride);
    turned_rows_ += kTurnedRows;
  }
  void turn_rest() noexcept {
    while (turned_rows_ < kBlockRows) turn_rows();
  }

  /// out[m][n] = sums_[n][m]
  void store_block(float* out, int64_t rows, int64_t columns) const noexcept {
    for (int64_t n = 0; n < columns; n += Avx512::kLanes) {
      const int64_t num_columns = at_most(Avx512::kLanes, columns - n);
      for (int64_t m = 0; m < rows; m += kTurnedRows) {
        const float* const sums = sums_ + n * kBlockRows + m;
        float* const target = out + m * a_.out_stride + n;
        if (num_columns == Avx512::kLanes && m + kTurnedRows <= rows) {
          transpose4<Avx512>(sums, kBlockRows, target, a_.out_stride);
          continue;
        }
        alignas(64) float turned[kTurnedRows * Avx512::kLanes];
        transpose4<Avx512>(sums, kBlockRows, turned, Avx512::kLanes);
        for (int64_t i = 0; i < kTurnedRows && m + i < rows; ++i) {
          store_up_to<Avx512>(target + i * a_.out_stride, Avx512::load(turned + i * Avx512::kLanes),
                              num_columns);
        }
      }
    }
  }

  const MatmulArguments& a_;
  int64_t whole_depth_;
  float* sums_ = buffers_[0];              // of this block
  const float* other_sums_ = buffers_[1];  // of the last whole block
  float* out_ = nullptr;                   // where its results belong
  int64_t turned_rows_ = kBlockRows;       // how many of them are there
  alignas(64) float buffers_[2][kBlockColumns * kBlockRows];
  alignas(64) uint8_t awake_[kTileBytes];  // all rows of a tile, and nobody's
  alignas(64) uint16_t staged_[kBlockColumns * kTileDepth];
};

}  // namespace
}  // namespace aios
