#include "backend/cpu/matmul_input.h"

#include <algorithm>

namespace aios {
namespace {

/// Calls `body(row, rows)` for the tile's rows, those of one group of `group` at a time.
template <typename Body>
void for_each_group(const Tile& tile, int64_t group, const Body& body) {
  int64_t end = tile.row_begin;
  for (int64_t row = tile.row_begin; row < tile.row_end; row = end) {
    end = std::min(tile.row_end, (row / group + 1) * group);
    body(row, end - row);
  }
}

}  // namespace

void MatmulInput::reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth) {
  kernels_ = &kernels;
  forms_ = forms;
  rows_ = rows;
  depth_ = depth;
  const int64_t group = kernels.bf16_row_group;
  const int64_t bf16_rows = divide_up(rows, group) * group;
  float* const f32 = f32_.reserve(forms.f32 ? rows * stride() : 0);
  uint16_t* const bf16 = bf16_.reserve(forms.bf16 ? bf16_rows * stride() : 0);
  int8_.reserve(forms.int8 ? kernels.quantized_layout.bytes(rows, depth) : 0);
  scales_.reserve(forms.int8 ? rows * num_row_scales(depth) : 0);
  starts_.reserve(forms.int8 ? rows * num_row_starts(depth) : 0);
  const int64_t end = padded_depth(depth);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = depth; column < end; ++column) {
      if (forms.f32) f32[row * stride() + column] = 0;
      if (forms.bf16) bf16[bf16_offset_of(row, column)] = 0;
    }
  }
}

void MatmulInput::store(const Tile& tile, const float* values, int64_t values_stride) noexcept {
  for (int64_t row = tile.row_begin; forms_.f32 && row < tile.row_end; ++row) {
    std::copy_n(values + (row - tile.row_begin) * values_stride, tile.columns(),
                f32_.data() + row * stride() + tile.column_begin);
  }
  if (forms_.int8) quantize(tile, values, values_stride);
  if (forms_.bf16) narrow(tile, values, values_stride);
}

void MatmulInput::narrow(const Tile& tile, const float* values, int64_t values_stride) noexcept {
  for_each_group(tile, kernels_->bf16_row_group, [&](int64_t row, int64_t rows) {
    kernels_->f32_to_bf16(values + (row - tile.row_begin) * values_stride, values_stride, rows,
                          bf16_.data() + bf16_offset_of(row, tile.column_begin), tile.columns());
  });
}

void MatmulInput::quantize(const Tile& tile, const float* values, int64_t values_stride) noexcept {
  const QuantizedLayout& layout = kernels_->quantized_layout;
  const int64_t column = tile.column_begin;
  for_each_group(tile, layout.block_rows, [&](int64_t row, int64_t rows) {
    kernels_->quantize_rows(
        values + (row - tile.row_begin) * values_stride, values_stride, rows, tile.columns(),
        {.layout = layout,
         .codes = int8_.data() + layout.row_offset(row, depth_) + layout.step_offset(column),
         .scales = scales_.data() + column / kMaxGroup * rows_ + row,
         .starts = starts_.data() + column / kDepthUnit * rows_ + row,
         .stride = rows_});
  });
}

void MatmulInput::set_int8_rows(int64_t row, QuantizedMatmulArguments& arguments) const noexcept {
  arguments.layout = kernels_->quantized_layout;
  arguments.x = int8_.data() + kernels_->quantized_layout.row_offset(row, depth_);
  arguments.x_scales = scales_.data() + row;
  arguments.x_starts = starts_.data() + row;
  arguments.x_stride = rows_;
}

}  // namespace aios
