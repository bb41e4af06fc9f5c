/// Products of activation rows with weights of 8, 4 or 2 bits, read where they are mapped.
///
/// Activations are rounded to signed 8 bits, every kMaxGroup steps of a row by a scale of their
/// own; products are summed as integers along a group of the weights, at most kMaxGroup deep; these
/// sums are added up in f32.
#pragma once

#include <cstdint>

#include "tensor/quantized_matrix.h"

namespace aios {

/// How the codes of activations lie, so that a kernel's tile reads them from one stream: in blocks
/// of `block_rows` rows, which hold `block_depth` steps of each row, then the next of each.
struct QuantizedLayout {
  int64_t block_rows = 8;
  int64_t block_depth = kWordDepth;  // a power of two

  bool operator==(const QuantizedLayout&) const = default;

  /// Steps of a row, those filled up with zeros included.
  [[nodiscard]] constexpr int64_t padded(int64_t depth) const noexcept {
    const int64_t unit = block_depth > kDepthUnit ? block_depth : kDepthUnit;
    return (depth + unit - 1) / unit * unit;
  }
  /// Bytes of all codes of `rows` rows.
  [[nodiscard]] constexpr int64_t bytes(int64_t rows, int64_t depth) const noexcept {
    return (rows + block_rows - 1) / block_rows * block_rows * padded(depth);
  }
  /// Where the first code of a row stands.
  [[nodiscard]] constexpr int64_t row_offset(int64_t row, int64_t depth) const noexcept {
    return row / block_rows * block_rows * padded(depth) + row % block_rows * block_depth;
  }
  /// Rows that are stored fastest together: words that take turns share lines of memory.
  [[nodiscard]] constexpr int64_t row_group() const noexcept {
    return block_depth < kDepthUnit ? block_rows : 1;
  }
  /// Where the code of step `k` stands behind the first of its row.
  [[nodiscard]] constexpr int64_t step_offset(int64_t k) const noexcept {
    return k / block_depth * block_depth * block_rows + k % block_depth;
  }
};

/// The largest magnitude of a code.
inline constexpr float kMaxCode = 127.0F;
/// A stretch whose elements are smaller is one of zeros: 127 / maximum stays finite.
inline constexpr float kSmallestMaximum = 1e-30F;

/// Scales of a row: one for every kMaxGroup steps of the depth.
constexpr int64_t num_row_scales(int64_t depth) noexcept {
  return (depth + kMaxGroup - 1) / kMaxGroup;
}

/// Starts of a row's sums: one for every kDepthUnit steps.
constexpr int64_t num_row_starts(int64_t depth) noexcept {
  return QuantizedFormat::padded(depth) / kDepthUnit;
}

/// A row of activations in 8 bits: x[k] is about scale(k) * code(k). A scale for each
/// stretch, as a few columns of a transformer's states are many times larger than the rest.
struct QuantizedRow {
  QuantizedLayout layout{};
  int8_t* codes = nullptr;  // the row's first; to the padded depth, filled up with zeros
  float* scales = nullptr;
  int32_t* starts = nullptr;
  int64_t stride = 1;  // from a stretch's scale to the next's, from a unit's start to the next's

  [[nodiscard]] int8_t& code(int64_t k) const noexcept { return codes[layout.step_offset(k)]; }
  /// Of the stretch of step k.
  [[nodiscard]] float& scale(int64_t k) const noexcept { return scales[k / kMaxGroup * stride]; }
  /// Of the unit of step k: what a sum of code * point starts from to become one of code * (point -
  /// 128): -128 times the sum of the codes of the unit's stretch up to the unit's end.
  [[nodiscard]] int32_t& start(int64_t k) const noexcept { return starts[k / kDepthUnit * stride]; }
};

/// Rows of one block of the layout; a whole block begins with its first row. Scales of a stretch
/// lie one behind the other, row by row, and so do starts of a unit: a tile reads its rows' at
/// once.
struct QuantizedRows {
  QuantizedLayout layout{};
  int8_t* codes = nullptr;    // of the first row
  float* scales = nullptr;    // [num_row_scales, stride]
  int32_t* starts = nullptr;  // [num_row_starts, stride]
  int64_t stride = 0;

  [[nodiscard]] QuantizedRow row(int64_t m) const noexcept {
    return {.layout = layout,
            .codes = codes + m * layout.block_depth,
            .scales = scales + m,
            .starts = starts + m,
            .stride = stride};
  }
};

/// What the sum of `depth` steps of a row from step k starts from, both multiples of kDepthUnit, in
/// one stretch. @param starts of the row (QuantizedRow)
constexpr int32_t row_start(const int32_t* starts, int64_t stride, int64_t k,
                            int64_t depth) noexcept {
  const int32_t before = k % kMaxGroup == 0 ? 0 : starts[(k / kDepthUnit - 1) * stride];
  return starts[((k + depth) / kDepthUnit - 1) * stride] - before;
}

/// For each stretch of kMaxGroup steps: scale = max |x| / 127, code(k) = x[k] * (127 / max |x|) to
/// the nearest integer, ties to even. A stretch of zeros (or of less than 1e-30) has scale 0, one
/// that is not finite has scale NaN; both have codes 0. Stretches know nothing of each other: parts
/// of rows that begin with one may be rounded by themselves, `rows` pointing there.
/// @param x num_rows rows of `depth` elements, x_stride apart
using QuantizeRowsFunction = void (*)(const float* x, int64_t x_stride, int64_t num_rows,
                                      int64_t depth, const QuantizedRows& rows) noexcept;

/// A step is a group of the weights, or a stretch of the activations if groups are longer. Its
/// integer sum is p = sum over k of code(m, k) * (point(column + n, k) - 128). In ascending order,
/// each rounded once (fma):
///     groups of up to kMaxGroup: sum = fma(float(p) * x_scale, scale(group), sum), out = sum;
///     whole rows:                sum = fma(float(p), x_scale, sum), out = sum * scale(row).
/// Then, each rounded once: out + bias(column), and that added to what stood there before.
/// The same bits on every instruction set.
struct QuantizedMatmulArguments {
  QuantizedLayout layout{};           // of x: the table's (Kernels::quantized_layout)
  const int8_t* x = nullptr;          // codes of row 0, the first of its block
  const float* x_scales = nullptr;    // [num_row_scales, x_stride], of row 0 the first
  const int32_t* x_starts = nullptr;  // [num_row_starts, x_stride]
  int64_t x_stride = 0;
  const QuantizedMatrix* weights = nullptr;
  int64_t column = 0;           // first row of the weights, a multiple of kPanelRows
  int64_t columns = 0;          // rows of the weights
  const float* bias = nullptr;  // [columns], or null
  bool adds = false;            // to `out`
  float* out = nullptr;         // [rows, out_stride]
  int64_t out_stride = 0;
  int64_t rows = 0;
};
using QuantizedMatmulFunction = void (*)(const QuantizedMatmulArguments&) noexcept;

void quantize_rows_reference(const float* x, int64_t x_stride, int64_t num_rows, int64_t depth,
                             const QuantizedRows& rows) noexcept;
void quantized_matmul_reference(const QuantizedMatmulArguments& arguments) noexcept;

/// out[k] = weight (row, k) in f32, for k in [0, depth). Not tuned: for a few rows of a table.
void dequantize_row(const QuantizedMatrix& weights, int64_t row, float* out) noexcept;

}  // namespace aios
