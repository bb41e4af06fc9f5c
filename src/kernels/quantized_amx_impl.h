/// quantized_matmul.h on AMX's tiles of bytes. Only for translation units with those flags.
///
/// A panel's points are right operands as they lie: words of four steps for thirty-two columns.
/// Codes of x lie as left operands, sixteen rows of 64 steps (kLayout). A step's sums of integers
/// leave the tiles and are added in f32 while the tiles multiply the next block: the same bits as
/// the reference. That takes three times as long as the products do, so all that it needs is kept
/// in the first-level cache: the sums of kRowChunk rows of one panel. The next step's points are
/// decoded meanwhile, too. Steps of less than kMaxGroup, blocks of less than 17 rows and those
/// behind a block of less than 32 are multiplied first and added then.
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
  static constexpr int64_t kBlock = 2 * kTileRows;  // rows of x by columns of two tiles each
  static constexpr int64_t kRowChunk = 64;
  static constexpr int64_t kMaxRows = 512;
  /// Depth that is decoded at a time, for kMaxRows.
  static constexpr int64_t kPartDepth = 2048;
  static constexpr int64_t kWordBytes = kPanelRows * kWordDepth;
  static_assert(kBlock == kPanelRows && kPartDepth % kMaxGroup == 0);
  /// Below, most rows of a tile would be nobody's.
  static constexpr int64_t kMinRows = 8;

 public:
  static constexpr QuantizedLayout kLayout = {.block_rows = kTileRows, .block_depth = kTileDepth};

  static void run(const QuantizedMatmulArguments& arguments) noexcept {
    if (arguments.rows < kMinRows) return QuantizedMatmul<Avx512, kLayout>::run(arguments);
    AmxQuantizedMatmul(arguments).multiply();
  }

 private:
  /// A stretch of a panel's depth, as tiles read it.
  struct Part {
    int64_t panel = 0;
    int64_t column = 0;  // of the result
    int64_t begin = 0;
    int64_t count = 0;
    const uint8_t* points = nullptr;
  };
  /// Units of a panel's depth that are decoded while the tiles multiply others.
  struct Decoding {
    int64_t panel = 0;
    int64_t next = 0;  // depth
    int64_t end = 0;
    uint8_t* out = nullptr;
  };
  /// A step's integer sums of a block, and where they are to be added.
  struct Block {
    int32_t* sums = nullptr;  // [rows, kBlock]
    const float* x_scales = nullptr;
    const int32_t* x_starts = nullptr;  // of the step's last unit
    bool begins_in_stretch = false;     // units of the stretch before the step count in its starts
    int64_t before = 0;                 // starts up to the step's begin lie that far before
    bool adds = false;                  // to what is there
    const uint16_t* scales = nullptr;   // not for whole rows
    float* out = nullptr;               // [rows, kBlock]
    int64_t rows = 0;
  };

  explicit AmxQuantizedMatmul(const QuantizedMatmulArguments& arguments) noexcept
      : a_(arguments),
        weights_(*arguments.weights),
        depth_(QuantizedFormat::padded(weights_.depth)),
        group_bytes_(kTileRows * kLayout.padded(weights_.depth)),
        whole_rows_(weights_.format.group_size == 0),
        step_(whole_rows_ ? kMaxGroup : weights_.format.group_size),
        tile_depth_(step_ < kTileDepth ? step_ : kTileDepth) {}

  void multiply() noexcept {
    configure();
    for (int64_t row = 0; row < a_.rows; row += kMaxRows) {
      for (int64_t column = 0; column < a_.columns; column += kPanelRows) {
        multiply_panel(column, row, at_most(kMaxRows, a_.rows - row));
      }
    }
    _tile_release();
  }

  void multiply_panel(int64_t column, int64_t row, int64_t rows) noexcept {
    Part part{.panel = (a_.column + column) / kPanelRows, .column = column};
    for (; part.begin < depth_; part.begin += kPartDepth) {
      part.count = at_most(kPartDepth, depth_ - part.begin);
      start_decoding(part);
      for (int64_t m = 0; m < rows; m += kRowChunk) {
        float* const sums = sums_of_parts_ + (depth_ > kPartDepth ? m : 0) * kBlock;
        const int64_t chunk = at_most(kRowChunk, rows - m);
        if (whole_rows_) {
          multiply_rows<true, true>(part, row + m, chunk, sums);
        } else if (step_ == kMaxGroup) {
          multiply_rows<false, true>(part, row + m, chunk, sums);
        } else {
          multiply_rows<false, false>(part, row + m, chunk, sums);
        }
      }
    }
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

  /// int8's codes are read where they lie, unless the last tile would read on behind them.
  void start_decoding(Part& part) noexcept {
    part.points = points_;
    decoding_ = {part.panel, part.begin, part.begin + part.count, points_};
    if (weights_.format.type == QuantType::kInt8 && part.count % tile_depth_ == 0) {
      part.points = weights_.panel_codes(part.panel) + part.begin * kPanelRows;
      decoding_.next = decoding_.end;
    }
  }

  /// The next units up to `end`.
  void decode_until(int64_t end) noexcept {
    Decoding& d = decoding_;
    if (end > d.end) end = d.end;
    if (d.next >= end) return;
    PointDecoder<Ops>::decode(weights_, d.panel, d.next, end, d.out);
    d.out += (end - d.next) * kPanelRows;
    d.next = end;
    asm volatile("" ::"r"(points_) : "memory");  // GCC does not know that tiles read memory
  }

  /// @tparam kStretches steps are whole stretches of x
  template <bool kWholeRows, bool kStretches>
  void multiply_rows(const Part& part, int64_t row, int64_t rows, float* sums) noexcept {
    const uint16_t* scales =
        kWholeRows ? nullptr : weights_.panel_scales(part.panel) + part.begin / step_ * kPanelRows;
    Block last;
    for (int64_t k = 0; k < part.count; k += step_) {
      const int64_t begin = part.begin + k;
      const int64_t depth = at_most(step_, part.count - k);
      const int64_t last_unit = (begin + depth) / kDepthUnit - 1;
      const uint8_t* const points = part.points + k / kWordDepth * kWordBytes;
      decode_until(begin + depth);
      for (int64_t m = 0; m < rows; m += kBlock) {
        const Block block{.sums = sums_[last.sums == sums_[0]],
                          .x_scales = a_.x_scales + begin / kMaxGroup * a_.x_stride + row + m,
                          .x_starts = a_.x_starts + last_unit * a_.x_stride + row + m,
                          .begins_in_stretch = begin % kMaxGroup != 0,
                          .before = depth / kDepthUnit * a_.x_stride,
                          .adds = begin > 0,
                          .scales = scales,
                          .out = sums + m * kBlock,
                          .rows = at_most(kBlock, rows - m)};
        const int8_t* const x =
            a_.x + (row + m) / kTileRows * group_bytes_ + kLayout.step_offset(begin);
        if (kStretches && depth == kMaxGroup && last.rows == kBlock && block.rows > kTileRows) {
          multiply_while_adding<kWholeRows>(x, points, block.sums, last);
        } else {
          multiply_block(x, points, depth, block);
          add_rows<kWholeRows, kStretches>(last, 0, last.rows);
        }
        last = block;
      }
      if constexpr (!kWholeRows) scales += kPanelRows;
    }
    add_rows<kWholeRows, kStretches>(last, 0, last.rows);
    if (part.begin + part.count == depth_) {
      PanelResults<Avx512>(a_, part.column).store(sums, row, rows);
    }
  }

  /// block.sums = its rows of x times `depth` steps of the points.
  void multiply_block(const int8_t* x, const uint8_t* points, int64_t depth,
                      const Block& block) const noexcept {
    const bool two_x = block.rows > kTileRows;
    zero_sums();
    for (int64_t k = 0; k < depth; k += tile_depth_) {
      const int8_t* const steps = x + kLayout.step_offset(k);
      _tile_loadd(6, points, kWordBytes);
      _tile_loadd(4, steps, kTileDepth);
      _tile_dpbsud(0, 4, 6);
      _tile_loadd(7, points + kWordBytes / 2, kWordBytes);
      _tile_dpbsud(1, 4, 7);
      if (two_x) {
        _tile_loadd(5, steps + group_bytes_, kTileDepth);
        _tile_dpbsud(2, 5, 6);
        _tile_dpbsud(3, 5, 7);
      }
      points += tile_depth_ / kWordDepth * kWordBytes;
    }
    store_sums(block.sums);
  }

  /// The same for two whole tiles of the depth and of rows; adds the 32 rows of `last` meanwhile.
  template <bool kWholeRows>
  void multiply_while_adding(const int8_t* x, const uint8_t* points, int32_t* sums,
                             const Block last) noexcept {
    zero_sums();
#pragma GCC unroll 2
    for (int64_t tile = 0; tile < kMaxGroup / kTileDepth; ++tile) {
      const int64_t row = tile * kTileRows;
      _tile_loadd(6, points, kWordBytes);
      _tile_loadd(4, x, kTileDepth);
      _tile_dpbsud(0, 4, 6);
      add_rows<kWholeRows, true>(last, row, row + 4);
      decode_until(decoding_.next + kDepthUnit);
      _tile_loadd(7, points + kWordBytes / 2, kWordBytes);
      _tile_dpbsud(1, 4, 7);
      add_rows<kWholeRows, true>(last, row + 4, row + 8);
      _tile_loadd(5, x + group_bytes_, kTileDepth);
      _tile_dpbsud(2, 5, 6);
      add_rows<kWholeRows, true>(last, row + 8, row + 12);
      decode_until(decoding_.next + kDepthUnit);
      _tile_dpbsud(3, 5, 7);
      add_rows<kWholeRows, true>(last, row + 12, row + 16);
      x += kTileRows * kTileDepth;
      points += kTileDepth / kWordDepth * kWordBytes;
    }
    store_sums(sums);
  }

  static void zero_sums() noexcept {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  static void store_sums(int32_t* sums) noexcept {
    constexpr int64_t kStride = kBlock * sizeof(int32_t);
    _tile_stored(0, sums, kStride);
    _tile_stored(1, sums + kTileRows, kStride);
    _tile_stored(2, sums + kTileRows * kBlock, kStride);
    _tile_stored(3, sums + kTileRows * kBlock + kTileRows, kStride);
  }

  template <bool kWholeRows, bool kStretches>
  void add_rows(const Block block, int64_t begin, int64_t end) const noexcept {
#pragma GCC unroll 4
    for (int64_t m = begin; m < end; ++m) {
      const int32_t* const starts = block.x_starts + m;
      const bool subtracts = !kStretches && block.begins_in_stretch;
      const __m512i start = Ops::start(*starts - (subtracts ? *(starts - block.before) : 0));
      const Vector x_scale = Avx512::fill(block.x_scales[m]);
#pragma GCC unroll 2
      for (int64_t n = 0; n < kBlock; n += kTileRows) {
        const __m512i sum = _mm512_load_si512(block.sums + m * kBlock + n);
        const Vector whole = Ops::to_floats(Ops::add_sums(sum, start));
        float* const out = block.out + m * kBlock + n;
        const Vector sum_before = block.adds ? Avx512::load(out) : Avx512::zero();
        if constexpr (kWholeRows) {
          Avx512::store(out, Avx512::fma(whole, x_scale, sum_before));
        } else {
          const Vector scale = Avx512::load_f16(block.scales + n);
          Avx512::store(out, Avx512::fma(Avx512::mul(whole, x_scale), scale, sum_before));
        }
      }
    }
  }

  const QuantizedMatmulArguments& a_;
  const QuantizedMatrix& weights_;
  int64_t depth_;
  int64_t group_bytes_;  // of kTileRows rows of x
  bool whole_rows_;      // share one scale
  int64_t step_;         // depth that is summed as integers
  int64_t tile_depth_;   // of it at a time
  Decoding decoding_;
  alignas(64) int32_t sums_[2][kBlock * kBlock];
  alignas(64) float sums_of_parts_[kMaxRows * kBlock];  // of one chunk, if there is one part
  alignas(64) uint8_t points_[kPartDepth * kPanelRows];
};

}  // namespace
}  // namespace aios
