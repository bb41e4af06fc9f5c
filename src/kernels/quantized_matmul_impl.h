/// quantized_matmul.h on vectors: one template for all widths of weights.
///
/// A panel's codes become points of eight bits once for every kRowBlock rows of x, a slice of the
/// depth at a time into the first-level cache; these rows pass over it. int8's codes are points and
/// are read in place where the instruction set can. Sums of integers are exact in any order; sums
/// of groups are in ascending order: the same bits as the reference.
#pragma once

#include <cstdint>

#include "kernels/quantized_matmul.h"
#include "kernels/quantized_points_impl.h"
#include "kernels/quantized_results_impl.h"
#include "kernels/quantized_row_impl.h"

namespace aios {
namespace {

/// @tparam kLayout of x
template <typename Isa, QuantizedLayout kLayout>
class QuantizedMatmul {
  using Ops = QuantizedOps<Isa>;
  using Vector = typename Isa::Vector;
  static_assert(Ops::kRows == Isa::kLanes);
  static constexpr int64_t kWordBytes = kPanelRows * kWordDepth * Ops::kPointBytes;
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth * Ops::kPointBytes;
  static constexpr int64_t kTileColumns = Ops::kTileVectors * Ops::kRows;
  static constexpr int64_t kRowBlock = 128;
  static constexpr int64_t kSlice = 512;
  /// Below, memory limits: decoding and multiplying alternate often, and memory serves both.
  static constexpr int64_t kFewRows = 4;
  static_assert(kLayout.block_rows % Ops::kTileRows == 0 && kRowBlock % kLayout.block_rows == 0);

 public:
  static void run(const QuantizedMatmulArguments& arguments) noexcept {
    if constexpr (Ops::kReadsCodes) {
      if (arguments.rows == 1) return QuantizedRowMatmul<Isa, kLayout>::run(arguments);
    }
    QuantizedMatmul(arguments).multiply();
  }

 private:
  explicit QuantizedMatmul(const QuantizedMatmulArguments& arguments) noexcept
      : a_(arguments),
        weights_(*arguments.weights),
        depth_(QuantizedFormat::padded(weights_.depth)),
        whole_rows_(weights_.format.group_size == 0),
        step_(whole_rows_ ? kMaxGroup : weights_.format.group_size),
        slice_(arguments.rows < kFewRows ? kMaxGroup : kSlice) {}

  void multiply() noexcept {
    for (int64_t column = 0; column < a_.columns; column += kPanelRows) {
      const int64_t panel = (a_.column + column) / kPanelRows;
      for (int64_t row = 0; row < a_.rows; row += kRowBlock) {
        const int64_t rows = a_.rows - row < kRowBlock ? a_.rows - row : kRowBlock;
        for (int64_t begin = 0; begin < depth_; begin += slice_) {
          const int64_t end = depth_ - begin < slice_ ? depth_ : begin + slice_;
          const uint8_t* const points = panel_points(panel, begin, end);
          for (int64_t v = 0; v < kPanelRows; v += kTileColumns) {
            multiply_rows(panel, points, begin, end, row, rows, v);
          }
        }
        store_panel<Isa>(a_, sums_, column, row, rows);
      }
    }
  }

  const uint8_t* panel_points(int64_t panel, int64_t begin, int64_t end) noexcept {
    if (Ops::kReadsCodes && weights_.format.type == QuantType::kInt8) {
      return weights_.panel_codes(panel) + begin * kPanelRows;
    }
    PointDecoder<Ops>::decode(weights_, panel, begin, end, points_);
    return points_;
  }

  void multiply_rows(int64_t panel, const uint8_t* points, int64_t begin, int64_t end, int64_t row,
                     int64_t rows, int64_t column) noexcept {
    int64_t m = 0;
    for (; m + Ops::kTileRows <= rows; m += Ops::kTileRows) {
      multiply_tile<Ops::kTileRows>(panel, points, begin, end, row + m, m, column);
    }
    multiply_rest<Ops::kTileRows - 1>(panel, points, begin, end, row + m, m, rows - m, column);
  }

  /// The last rows, fewer than a whole tile.
  template <int kRows>
  void multiply_rest(int64_t panel, const uint8_t* points, int64_t begin, int64_t end, int64_t row,
                     int64_t m, int64_t rows, int64_t column) noexcept {
    if constexpr (kRows > 0) {
      if (rows == kRows) {
        multiply_tile<kRows>(panel, points, begin, end, row, m, column);
      } else {
        multiply_rest<kRows - 1>(panel, points, begin, end, row, m, rows, column);
      }
    }
  }

  /// Adds the groups of [begin, end) for kRows rows of x from `row`, rows `m` of sums_, and
  /// kTileVectors vectors of columns from `column` of the panel.
  template <int kRows>
  void multiply_tile(int64_t panel, const uint8_t* points, int64_t begin, int64_t end, int64_t row,
                     int64_t m, int64_t column) noexcept {
    Step step{.points = points + column * kWordDepth * Ops::kPointBytes,
              .x = a_.x + kLayout.row_offset(row, weights_.depth),
              .x_starts = a_.x_starts + row * a_.starts_stride,
              .x_scales = nullptr,
              .scales = whole_rows_
                            ? nullptr
                            : weights_.panel_scales(panel) + begin / step_ * kPanelRows + column};
    for (int64_t k = begin; k < end; k += step_) {
      step.begin = k;
      step.depth = end - k < step_ ? end - k : step_;
      step.x_scales = a_.x_scales + row * a_.scales_stride + k / kMaxGroup;
      add_step<kRows>(step, sums_ + m * kPanelRows + column, k > 0);
      step.points += step_ / kWordDepth * kWordBytes;
      if (!whole_rows_) step.scales += kPanelRows;
    }
  }

  /// What a tile multiplies in one step (quantized_matmul.h).
  struct Step {
    const uint8_t* points;
    const int8_t* x;          // the rows' first codes
    const int32_t* x_starts;  // the rows' first
    const float* x_scales;
    const uint16_t* scales;  // null for whole rows
    int64_t begin = 0;
    int64_t depth = 0;
  };

  /// Loops over sums are unrolled by name, as in outer_product_impl.h. Few rows have several sums
  /// each, so that one does not wait for the other.
  template <int kRows>
  void add_step(const Step& step, float* out, bool adds) const noexcept {
    const uint8_t* points = step.points;
    const int8_t* x = step.x + kLayout.step_offset(step.begin);
    constexpr int kVectors = Ops::kTileVectors;
    constexpr int kChains = kRows == 1 ? 4 : kRows <= 3 ? 2 : 1;
    typename Ops::Sums sums[kChains][kRows][kVectors];
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const auto start =
          Ops::start(row_start(step.x_starts + m * a_.starts_stride, step.begin, step.depth));
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) {
        sums[0][m][n] = start;
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) sums[c][m][n] = Ops::zero();
      }
    }
    constexpr int kUnroll = 4 / kChains;
    constexpr int64_t kRoundDepth = kUnroll * kChains * kWordDepth;
    for (int64_t k = step.begin; k < step.begin + step.depth; k += kRoundDepth) {
#pragma GCC unroll 4
      for (int i = 0; i < kUnroll * kChains; ++i) {
        typename Ops::Points columns[kVectors];
#pragma GCC unroll 4
        for (int n = 0; n < kVectors; ++n) {
          columns[n] = Ops::load_points(points + i * kWordBytes + n * kVectorBytes);
        }
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) {
          const auto steps =
              Ops::broadcast(x + kLayout.step_offset(i * kWordDepth) + m * kLayout.block_depth);
#pragma GCC unroll 4
          for (int n = 0; n < kVectors; ++n) {
            auto& sum = sums[i % kChains][m][n];
            sum = Ops::dot(sum, columns[n], steps);
          }
        }
      }
      points += kUnroll * kChains * kWordBytes;
      x += kLayout.step_offset(k + kRoundDepth) - kLayout.step_offset(k);
    }
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      const Vector scale =
          step.scales == nullptr ? Isa::zero() : Isa::load_f16(step.scales + n * Ops::kRows);
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) {
        auto total = sums[0][m][n];
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) total = Ops::add_sums(total, sums[c][m][n]);
        float* const sum = out + m * kPanelRows + n * Ops::kRows;
        const Vector before = adds ? Isa::load(sum) : Isa::zero();
        const Vector whole = Ops::to_floats(total);
        const Vector x_scale = Isa::fill(step.x_scales[m * a_.scales_stride]);
        Isa::store(sum, step.scales == nullptr ? Isa::fma(whole, x_scale, before)
                                               : Isa::fma(Isa::mul(whole, x_scale), scale, before));
      }
    }
  }

  const QuantizedMatmulArguments& a_;
  const QuantizedMatrix& weights_;
  int64_t depth_;
  bool whole_rows_;  // share one scale
  int64_t step_;     // depth that is summed as integers
  int64_t slice_;    // depth that is decoded at a time
  alignas(64) uint8_t points_[kSlice * kPanelRows * Ops::kPointBytes];
  alignas(64) float sums_[kRowBlock * kPanelRows];
};

/// Codes of the units of a stretch [begin, end) of a row, zeros behind `depth`, and their starts.
template <typename Isa>
void store_codes(const float* x, bool finite, typename Isa::Vector factor, int64_t begin,
                 int64_t end, int64_t depth, const QuantizedRow& row) noexcept {
  using Ops = QuantizedOps<Isa>;
  const bool in_one_piece = row.layout.block_depth >= kDepthUnit;
  int32_t start = 0;
  for (int64_t k = begin; k < end; k += kDepthUnit) {
    typename Ops::Codes sum = Ops::no_codes();
    int8_t words[kDepthUnit];
    int8_t* const target = in_one_piece ? &row.code(k) : words;
    for (int64_t i = 0; i < kDepthUnit; i += Isa::kLanes) {
      const int64_t left = depth - k - i;
      typename Ops::Codes codes = Ops::no_codes();
      if (finite && left > 0) {
        const auto v = load_up_to<Isa>(x + k + i, left < Isa::kLanes ? left : Isa::kLanes);
        codes = Ops::round(Isa::mul(v, factor));
      }
      Ops::store_codes(target + i, codes);
      sum = Ops::add_codes(sum, codes);
    }
    for (int64_t i = 0; i < kDepthUnit && !in_one_piece; i += kWordDepth) {
      __builtin_memcpy(&row.code(k + i), words + i, kWordDepth);
    }
    if (k >= depth) continue;
    start -= static_cast<int32_t>(kGridZero) * Ops::sum_codes(sum);
    row.starts[k / kDepthUnit] = start;
  }
}

/// quantize_row_reference on vectors.
template <typename Isa>
void quantize_row(const float* x, int64_t depth, const QuantizedRow& row) noexcept {
  using Vector = typename Isa::Vector;
  constexpr float kSmallestMaximum = 1e-30F;
  const int64_t padded_depth = row.layout.padded(depth);
  for (int64_t begin = 0; begin < depth; begin += kMaxGroup) {
    const int64_t end = depth - begin < kMaxGroup ? depth : begin + kMaxGroup;
    Vector maximum = Isa::zero();
    Vector poison = Isa::zero();  // NaN if an element is not finite
    for (int64_t k = begin; k < end; k += Isa::kLanes) {
      const Vector v = load_up_to<Isa>(x + k, end - k < Isa::kLanes ? end - k : Isa::kLanes);
      maximum = Isa::max(maximum, Isa::abs(v));
      poison = Isa::fma(v, Isa::zero(), poison);
    }
    const bool finite = Isa::sum(poison) == 0;
    const float largest = finite ? Isa::max_element(maximum) : 0;
    const bool zero = largest < kSmallestMaximum;
    row.scales[begin / kMaxGroup] = !finite ? __builtin_nanf("") : zero ? 0 : largest / 127.0F;
    const Vector factor = Isa::fill(zero ? 0 : 127.0F / largest);
    const int64_t stretch = padded_depth - begin < kMaxGroup ? padded_depth - begin : kMaxGroup;
    store_codes<Isa>(x, finite, factor, begin, begin + stretch, depth, row);
  }
}

}  // namespace
}  // namespace aios
