#include "backend/cpu/matmul_input.h"

#include <algorithm>

#include "backend/cpu/parallel.h"

namespace aios {

void MatmulInput::reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth) {
  kernels_ = &kernels;
  forms_ = forms;
  rows_ = rows;
  depth_ = depth;
  const int64_t group = kernels.bf16_row_group;
  const int64_t bf16_rows = divide_up(rows, group) * group;
  float* const f32 = f32_.reserve(forms.f32 || forms.int8 ? rows * stride() : 0);
  uint16_t* const bf16 = bf16_.reserve(forms.bf16 ? bf16_rows * stride() : 0);
  int8_.reserve(forms.int8 ? quantized_rows_bytes(rows, depth) : 0);
  scales_.reserve(forms.int8 ? rows * num_row_scales(depth) : 0);
  sums_.reserve(forms.int8 ? rows * sums_stride() : 0);
  const int64_t end = padded_depth(depth);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = depth; column < end; ++column) {
      if (forms.f32) f32[row * stride() + column] = 0;
      if (forms.bf16) bf16[bf16_offset_of(row, column)] = 0;
    }
  }
}

void MatmulInput::store_row(int64_t row, const float* values) noexcept {
  if (forms_.f32) std::copy_n(values, depth_, f32_.data() + row * stride());
  if (forms_.bf16) kernels_->f32_to_bf16(values, bf16_.data() + bf16_offset_of(row, 0), depth_);
  if (forms_.int8) quantize_row(row, values);
}

void MatmulInput::store(int64_t row, int64_t column, const float* values, int64_t size) noexcept {
  if (forms_.f32 || forms_.int8) std::copy_n(values, size, f32_.data() + row * stride() + column);
  if (forms_.bf16) kernels_->f32_to_bf16(values, bf16_.data() + bf16_offset_of(row, column), size);
}

void MatmulInput::complete(ThreadPool& pool) noexcept {
  if (!forms_.int8) return;
  for_each_row(
      pool, rows_, depth_, [&](int64_t row, int64_t /*slot*/) { quantize_row(row, f32_row(row)); },
      row_unit());
}

void MatmulInput::quantize_row(int64_t row, const float* values) noexcept {
  kernels_->quantize_row(values, depth_,
                         {.codes = int8_.data() + quantized_row_offset(row, depth_),
                          .scales = scales_.data() + row * num_row_scales(depth_),
                          .sums = sums_.data() + row * sums_stride()});
}

void MatmulInput::set_int8_rows(int64_t row, QuantizedMatmulArguments& arguments) const noexcept {
  arguments.x = int8_.data() + quantized_row_offset(row, depth_);
  arguments.x_scales = scales_.data() + row * num_row_scales(depth_);
  arguments.scales_stride = num_row_scales(depth_);
  arguments.x_sums = sums_.data() + row * sums_stride();
  arguments.sums_stride = sums_stride();
}

}  // namespace aios
