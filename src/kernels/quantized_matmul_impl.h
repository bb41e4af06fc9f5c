/// quantized_matmul.h on vectors: one template for all widths of weights.
///
/// Codes of one or two panels become points of eight bits once for up to kMaxRows rows of x, a part
/// of the depth at a time. A chunk of these rows passes over it step by step: its sums, the step's
/// points and its codes stay in the first-level cache, and its results leave it from there if the
/// depth is one part. int8's codes are points, in one part: they are read in place where the
/// instruction set can. Sums of integers are exact in any order; sums of groups are
/// in ascending order: the same bits as the reference.
#pragma once

#include <cstdint>

#include "kernels/quantized_matmul.h"
#include "kernels/quantized_points_impl.h"
#include "kernels/quantized_results_impl.h"
#include "kernels/quantized_row_impl.h"
#include "kernels/quantized_tile_impl.h"

namespace aios {
namespace {

/// How an instruction set multiplies blocks of int2 without decoding each point, where it can
/// (quantized_int2_avx2.h).
template <typename Isa>
class BlockMatmul {
 public:
  static constexpr bool kCanMultiply = false;
};

/// @tparam kLayout of x
template <typename Isa, QuantizedLayout kLayout>
class QuantizedMatmul {
  using Ops = QuantizedOps<Isa>;
  static constexpr int64_t kTileColumns = Ops::kTileVectors * Ops::kRows;
  static constexpr int64_t kMaxPanels = kTileColumns > kPanelRows ? kTileColumns / kPanelRows : 1;
  static constexpr int64_t kStepBytes = kPanelRows * Ops::kPointBytes;  // of a panel's points
  static constexpr int64_t kRowChunk = 64;
  static constexpr int64_t kMaxRows = 512;
  static constexpr int64_t kPartDepth = 1024;
  static_assert(kLayout.block_rows % (Ops::kTileRows * kMaxPanels) == 0 &&
                kRowChunk % kLayout.block_rows == 0);
  static_assert(kPartDepth % kMaxGroup == 0 && kMaxRows % kRowChunk == 0);

 public:
  /// Codes read in place are decoded for nobody: a chunk of rows is as good as many.
  static constexpr TileSize int8_tile_size() noexcept {
    return Ops::kReadsCodes ? TileSize{.rows = kRowChunk} : TileSize{};
  }

  static void run(const QuantizedMatmulArguments& arguments) noexcept {
    if constexpr (Ops::kMultipliesDecoded) {
      if (arguments.rows == 1) return QuantizedRowMatmul<Isa, kLayout>::run(arguments);
    }
    if constexpr (BlockMatmul<Isa>::kCanMultiply) {
      if (arguments.weights->format.type == QuantType::kInt2) return multiply_blocks(arguments);
    }
    if constexpr (Ops::kFewRows > 0) {
      if (arguments.rows < Ops::kFewRows) {
        return QuantizedMatmul<typename Ops::FewRows, kLayout>::run_tiles(arguments);
      }
    }
    run_tiles(arguments);
  }

  /// Any type, several rows.
  [[gnu::noinline]] static void run_tiles(const QuantizedMatmulArguments& arguments) noexcept {
    QuantizedMatmul(arguments).multiply();
  }

 private:
  explicit QuantizedMatmul(const QuantizedMatmulArguments& arguments) noexcept
      : a_(arguments),
        weights_(*arguments.weights),
        depth_(QuantizedFormat::padded(weights_.depth)),
        whole_rows_(weights_.format.group_size == 0),
        step_(whole_rows_ ? kMaxGroup : weights_.format.group_size),
        reads_codes_(Ops::kReadsCodes && weights_.format.type == QuantType::kInt8),
        part_depth_(reads_codes_                  ? depth_
                    : arguments.rows <= kRowChunk ? kMaxGroup
                                                  : kPartDepth) {
    for (int64_t row = 0; row < kRowChunk && row < arguments.rows; ++row) {
      row_offsets_[row] = kLayout.row_offset(row, weights_.depth);
    }
  }

  /// Panel by panel, those with reduced points as any other type's.
  [[gnu::noinline]] static void multiply_blocks(const QuantizedMatmulArguments& a) noexcept {
    BlockMatmul<Isa> blocks(a);
    for (int64_t panel = 0; panel < QuantizedFormat::num_panels(a.columns); ++panel) {
      if (blocks.multiply_panel(panel)) continue;
      const int64_t column = panel * kPanelRows;
      QuantizedMatmulArguments own = a;
      own.column += column;
      own.columns = a.columns - column < kPanelRows ? a.columns - column : kPanelRows;
      own.bias = a.bias == nullptr ? nullptr : a.bias + column;
      own.out += column;
      run_tiles(own);
    }
  }

  /// Panels of a pair come from both halves of the columns: memory is read in two places in turn.
  void multiply() noexcept {
    const int64_t panels = QuantizedFormat::num_panels(a_.columns);
    const int64_t pairs = panels / kMaxPanels;
    for (int64_t row = 0; row < a_.rows; row += kMaxRows) {
      const int64_t rows = a_.rows - row < kMaxRows ? a_.rows - row : kMaxRows;
      for (int64_t panel = 0; panel < pairs; ++panel) {
        multiply_panels<kMaxPanels>(panel, pairs, row, rows);
      }
      for (int64_t panel = pairs * kMaxPanels; panel < panels; ++panel) {
        multiply_panels<1>(panel, 0, row, rows);
      }
    }
  }

  /// @param panel of the result, the first of kPanels that lie `stride` apart
  template <int64_t kPanels>
  void multiply_panels(int64_t panel, int64_t stride, int64_t row, int64_t rows) noexcept {
    const int64_t first = a_.column / kPanelRows + panel;  // of the weights
    for (int64_t begin = 0; begin < depth_; begin += part_depth_) {
      const int64_t end = depth_ - begin < part_depth_ ? depth_ : begin + part_depth_;
      const uint8_t* points[kPanels];
      for (int64_t p = 0; p < kPanels; ++p) {
        points[p] = panel_points(first + p * stride, begin, end, points_[p]);
        if constexpr (Ops::kStartsByColumn) find_starts(points[p], end - begin, starts_[p]);
      }
      for (int64_t m = 0; m < rows; m += kRowChunk) {
        const int64_t chunk = rows - m < kRowChunk ? rows - m : kRowChunk;
        const int64_t sums = part_depth_ < depth_ ? m * kPanelRows : 0;  // else they need not stay
        for (int64_t k = begin; k < end; k += step_) {
          QuantizedStep<kPanels> step;
          step.begin = k;
          step.depth = end - k < step_ ? end - k : step_;
          step.adds = k > 0;
          step.reads_codes = reads_codes_ && m == 0;
          for (int64_t p = 0; p < kPanels; ++p) {
            step.points[p] = points[p] + (k - begin) * kStepBytes;
            if constexpr (Ops::kStartsByColumn) {
              step.starts[p] = starts_[p] + (k - begin) / step_ * kPanelRows;
            }
            step.scales[p] = panel_scales(first + p * stride, k, scales_[p]);
            step.sums[p] = sums_[p] + sums;
          }
          multiply_rows<kPanels>(step, row + m, chunk);
        }
        for (int64_t p = 0; p < kPanels && end == depth_; ++p) {
          PanelResults<Isa>(a_, (panel + p * stride) * kPanelRows)
              .store(sums_[p] + sums, row + m, chunk);
        }
      }
    }
  }

  const uint8_t* panel_points(int64_t panel, int64_t begin, int64_t end,
                              uint8_t* points) const noexcept {
    if (reads_codes_) return weights_.panel_codes(panel) + begin * kPanelRows;
    PointDecoder<Ops>::decode(weights_, panel, begin, end, points);
    return points;
  }

  /// Of the columns' sums, step by step.
  void find_starts(const uint8_t* points, int64_t depth, int32_t* starts) const noexcept {
    for (int64_t k = 0; k < depth; k += step_) {
      const int64_t words = (depth - k < step_ ? depth - k : step_) / kWordDepth;
      for (int64_t n = 0; n < kPanelRows; n += Ops::kRows) {
        Ops::column_starts(points + k * kStepBytes + n * kWordDepth * Ops::kPointBytes, words,
                           starts + k / step_ * kPanelRows + n);
      }
    }
  }

  /// Those of the step at k, in f32; null for whole rows.
  const float* panel_scales(int64_t panel, int64_t k, float (&scales)[kPanelRows]) const noexcept {
    if (whole_rows_) return nullptr;
    load_scales<Isa>(weights_.panel_scales(panel) + k / step_ * kPanelRows, scales);
    return scales;
  }

  /// One step for all columns of its panels and `rows` rows from `row`.
  template <int64_t kPanels>
  void multiply_rows(QuantizedStep<kPanels> step, int64_t row, int64_t rows) const noexcept {
    constexpr int kVectors = Ops::kTileVectors / kMaxPanels * kPanels;
    constexpr int64_t kColumns = kVectors / kPanels * Ops::kRows;  // of each panel
    for (int64_t column = 0; column < kPanelRows; column += kColumns) {
      if (Ops::kReadsCodes && step.reads_codes) {
        multiply_columns<kPanels, kVectors, Ops::kReadsCodes>(step, row, rows);
      } else {
        multiply_columns<kPanels, kVectors, false>(step, row, rows);
      }
      for (int64_t p = 0; p < kPanels; ++p) {
        step.points[p] += kColumns * kWordDepth * Ops::kPointBytes;
        if constexpr (Ops::kStartsByColumn) step.starts[p] += kColumns;
        if (!whole_rows_) step.scales[p] += kColumns;
        step.sums[p] += kColumns;
      }
      step.reads_codes = false;  // the first columns' tiles have fetched all
    }
  }

  /// Codes that are read in place come from memory: while they are multiplied, unit by unit, those
  /// of the next step are fetched. Behind the last step that is whatever lies there.
  template <int64_t kPanels, int kVectors, bool kFetches>
  [[gnu::noinline]] void multiply_columns(const QuantizedStep<kPanels>& step, int64_t row,
                                          int64_t rows) const noexcept {
    constexpr int kRows = Ops::kTileRows * Ops::kTileVectors / kVectors;
    const int8_t* const codes =
        a_.x + kLayout.row_offset(row, weights_.depth) + kLayout.step_offset(step.begin);
    const int64_t units = step.depth / kDepthUnit;
    const int64_t unit_ahead = kFetches ? kPanelRows * kDepthUnit / rows : 0;  // for a row
    int32_t starts[kRowChunk];
    TileRows x{.scales = a_.x_scales + step.begin / kMaxGroup * a_.x_stride + row,
               .starts = step_starts(step.begin, step.begin + step.depth, row, rows, starts),
               .unit_ahead = kRows * unit_ahead};
    while (rows - x.row >= kRows) {
      x.codes = codes + row_offsets_[x.row];
      QuantizedTile<Isa, kLayout, kPanels, kRows, kVectors>::template multiply<kFetches>(step, x);
      x.skip(kRows, units);
    }
    const int64_t rest = rows - x.row;
    if (rest == 0) return;
    x.codes = codes + row_offsets_[x.row];
    x.unit_ahead = rest * unit_ahead;
    multiply_rest<kPanels, kRows - 1, kVectors, kFetches>(step, x, rest);
  }

  /// What the rows' sums start from in a step (row_start): where they lie or, of a step within a
  /// stretch, in `differences`.
  const int32_t* step_starts(int64_t begin, int64_t end, int64_t row, int64_t rows,
                             int32_t* differences) const noexcept {
    const int32_t* const first = a_.x_starts + row;
    const int32_t* const starts = first + (end / kDepthUnit - 1) * a_.x_stride;
    if (begin % kMaxGroup == 0) return starts;
    const int32_t* const before = first + (begin / kDepthUnit - 1) * a_.x_stride;
    for (int64_t m = 0; m < rows; ++m) differences[m] = starts[m] - before[m];
    return differences;
  }

  /// The last rows, fewer than a whole tile.
  template <int64_t kPanels, int kRows, int kVectors, bool kFetches>
  [[gnu::noinline]] static void multiply_rest(const QuantizedStep<kPanels>& step, const TileRows& x,
                                              int64_t rows) noexcept {
    if constexpr (kRows > 0) {
      if (rows < kRows) {
        return multiply_rest<kPanels, kRows - 1, kVectors, kFetches>(step, x, rows);
      }
      QuantizedTile<Isa, kLayout, kPanels, kRows, kVectors>::template multiply<kFetches>(step, x);
    }
  }

  const QuantizedMatmulArguments& a_;
  const QuantizedMatrix& weights_;
  int64_t depth_;
  bool whole_rows_;     // share one scale
  int64_t step_;        // depth that is summed as integers
  bool reads_codes_;    // as points, where they lie
  int64_t part_depth_;  // depth that is decoded at a time
  /// Of a chunk's codes: divisions for every tile and step would take 2 to 4 % of the time.
  int64_t row_offsets_[kRowChunk];
  alignas(64) uint8_t points_[kMaxPanels][kPartDepth * kStepBytes];
  static constexpr int64_t kPartStarts =
      Ops::kStartsByColumn ? kPartDepth / kDepthUnit * kPanelRows : 1;
  alignas(64) int32_t starts_[kMaxPanels][kPartStarts];
  alignas(64) float scales_[kMaxPanels][kPanelRows];
  alignas(64) float sums_[kMaxPanels][kMaxRows * kPanelRows];
};

}  // namespace
}  // namespace aios
