/// Products of activation rows with a row-major weight matrix, read where it lies.
#pragma once

#include <cstdint>

namespace aios {

/// Rows of activations end on a whole number of this many elements, the rest filled with zeros.
inline constexpr int64_t kDepthAlignment = 32;

/// out[m, n] = sum over k < depth of x[m, k] * weights[n, k], in an order that depends on `depth`
/// alone: a row's result is the same bits whatever the other sizes.
struct MatmulArguments {
  const void* x = nullptr;        // [rows, x_stride], zero in [depth, padded_depth(depth)); bf16:
                                  // by `bf16_offset`, whole groups
  int64_t x_stride = 0;           // elements
  const void* weights = nullptr;  // [columns, weight_stride], any alignment
  int64_t weight_stride = 0;      // elements
  float* out = nullptr;           // [rows, out_stride]
  int64_t out_stride = 0;         // elements
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t depth = 0;
};

/// Where element `column` of row `row` of bf16 activations lies: groups of `row_group` rows hold
/// the first pair of elements of each row, then the second of each, and so on. A group begins where
/// its first row would lie if rows followed one another, which they do where a group is one row.
constexpr int64_t bf16_offset(int64_t row, int64_t column, int64_t stride,
                              int64_t row_group) noexcept {
  const int64_t in_group = row % row_group;
  return (row - in_group) * stride + (column / 2 * row_group + in_group) * 2 + column % 2;
}

using MatmulFunction = void (*)(const MatmulArguments&) noexcept;

constexpr int64_t padded_depth(int64_t depth) noexcept {
  return (depth + kDepthAlignment - 1) / kDepthAlignment * kDepthAlignment;
}

/// The definition, for activations in f32 and weights in f32, bf16 and f16.
void matmul_f32_f32_reference(const MatmulArguments& arguments) noexcept;
void matmul_f32_bf16_reference(const MatmulArguments& arguments) noexcept;
void matmul_f32_f16_reference(const MatmulArguments& arguments) noexcept;

}  // namespace aios
