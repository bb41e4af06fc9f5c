#include "backend/cpu/matmul_input.h"

#include <algorithm>

namespace aios {

void MatmulInput::reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth) {
  kernels_ = &kernels;
  forms_ = forms;
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
  for (int64_t row = tile.row_begin; row < tile.row_end; ++row) {
    const float* const row_values = values + (row - tile.row_begin) * values_stride;
    if (forms_.f32) {
      std::copy_n(row_values, tile.columns(), f32_.data() + row * stride() + tile.column_begin);
    }
    if (forms_.int8) quantize(row, tile.column_begin, row_values, tile.columns());
  }
  if (forms_.bf16) narrow(tile, values, values_stride);
}

void MatmulInput::narrow(const Tile& tile, const float* values, int64_t values_stride) noexcept {
  const int64_t group = kernels_->bf16_row_group;
  int64_t end = tile.row_begin;
  for (int64_t row = tile.row_begin; row < tile.row_end; row = end) {
    end = std::min(tile.row_end, (row / group + 1) * group);
    kernels_->f32_to_bf16(values + (row - tile.row_begin) * values_stride, values_stride, end - row,
                          bf16_.data() + bf16_offset_of(row, tile.column_begin), tile.columns());
  }
}

void MatmulInput::quantize(int64_t row, int64_t column, const float* values,
                           int64_t size) noexcept {
  const QuantizedLayout& layout = kernels_->quantized_layout;
  kernels_->quantize_row(
      values, size,
      {.layout = layout,
       .codes = int8_.data() + layout.row_offset(row, depth_) + layout.step_offset(column),
       .scales = scales_.data() + row * num_row_scales(depth_) + column / kMaxGroup,
       .starts = starts_.data() + row * num_row_starts(depth_) + column / kDepthUnit});
}

void MatmulInput::set_int8_rows(int64_t row, QuantizedMatmulArguments& arguments) const noexcept {
  arguments.layout = kernels_->quantized_layout;
  arguments.x = int8_.data() + kernels_->quantized_layout.row_offset(row, depth_);
  arguments.x_scales = scales_.data() + row * num_row_scales(depth_);
  arguments.scales_stride = num_row_scales(depth_);
  arguments.x_starts = starts_.data() + row * num_row_starts(depth_);
  arguments.starts_stride = num_row_starts(depth_);
}

}  // namespace aios
