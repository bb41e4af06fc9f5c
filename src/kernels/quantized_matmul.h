/// Products of activation rows with weights of 8, 4 or 2 bits, read where they are mapped.
///
/// Activations are rounded to signed 8 bits, every kMaxGroup steps of a row by a scale of their
/// own; products are summed as integers along a group of the weights, at most kMaxGroup deep; these
/// sums are added up in f32.
#pragma once

#include <cstdint>

#include "tensor/quantized_matrix.h"

namespace aios {

/// Rows of activations lie together in blocks of this many, word by word of four steps along the
/// depth, so that a tile reads them from one stream.
inline constexpr int64_t kBlockRows = 8;

/// Bytes of all codes of `rows` rows.
constexpr int64_t quantized_rows_bytes(int64_t rows, int64_t depth) noexcept {
  return (rows + kBlockRows - 1) / kBlockRows * kBlockRows * QuantizedFormat::padded(depth);
}
/// Where the first word of a row stands; the next words follow every kBlockRows * kWordDepth bytes.
constexpr int64_t quantized_row_offset(int64_t row, int64_t depth) noexcept {
  return row / kBlockRows * kBlockRows * QuantizedFormat::padded(depth) +
         row % kBlockRows * kWordDepth;
}

/// Scales of a row: one for every kMaxGroup steps of the depth.
constexpr int64_t num_row_scales(int64_t depth) noexcept {
  return (depth + kMaxGroup - 1) / kMaxGroup;
}

/// A row of activations in 8 bits: x[k] is about scales[k / kMaxGroup] * code(k). A scale for each
/// stretch, as a few columns of a transformer's states are many times larger than the rest.
struct QuantizedRow {
  int8_t* codes = nullptr;  // the row's first word; words to the padded depth, filled up with zeros
  float* scales = nullptr;  // [num_row_scales]
  /// sums[i] = the sum of code(k) over k < 32 i, for i in [0, padded depth / 32]
  int32_t* sums = nullptr;

  [[nodiscard]] int8_t& code(int64_t k) const noexcept {
    return codes[k / kWordDepth * kBlockRows * kWordDepth + k % kWordDepth];
  }
};

/// For each stretch of kMaxGroup steps: scale = max |x| / 127, code(k) = x[k] * (127 / max |x|) to
/// the nearest integer, ties to even. A stretch of zeros (or of less than 1e-30) has scale 0, one
/// that is not finite has scale NaN; both have codes 0.
using QuantizeRowFunction = void (*)(const float* x, int64_t depth,
                                     const QuantizedRow& row) noexcept;

/// A step is a group of the weights, or a stretch of the activations if groups are longer. Its
/// integer sum is p = sum over k of code(m, k) * (point(column + n, k) - 128). In ascending order,
/// each rounded once (fma):
///     groups of up to kMaxGroup: sum = fma(float(p) * x_scale, scale(group), sum), out = sum;
///     whole rows:                sum = fma(float(p), x_scale, sum), out = sum * scale(row).
/// The same bits on every instruction set.
struct QuantizedMatmulArguments {
  const int8_t* x = nullptr;        // codes of row 0, the first of its block
  const float* x_scales = nullptr;  // [rows, scales_stride]
  int64_t scales_stride = 0;
  const int32_t* x_sums = nullptr;  // [rows, sums_stride]
  int64_t sums_stride = 0;
  const QuantizedMatrix* weights = nullptr;
  int64_t column = 0;    // first row of the weights, a multiple of kPanelRows
  int64_t columns = 0;   // rows of the weights
  float* out = nullptr;  // [rows, out_stride]
  int64_t out_stride = 0;
  int64_t rows = 0;
};
using QuantizedMatmulFunction = void (*)(const QuantizedMatmulArguments&) noexcept;

void quantize_row_reference(const float* x, int64_t depth, const QuantizedRow& row) noexcept;
void quantized_matmul_reference(const QuantizedMatmulArguments& arguments) noexcept;

/// out[k] = weight (row, k) in f32, for k in [0, depth). Not tuned: for a few rows of a table.
void dequantize_row(const QuantizedMatrix& weights, int64_t row, float* out) noexcept;

}  // namespace aios
