#include "backend/cpu/matmul_input.h"

#include <algorithm>

#include "backend/cpu/parallel.h"

namespace aios {

void MatmulInput::reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth) {
  kernels_ = &kernels;
  forms_ = forms;
  depth_ = depth;
  const int64_t group = kernels.bf16_row_group;
  const int64_t bf16_rows = divide_up(rows, group) * group;
  float* const f32 = f32_.reserve(forms.f32 ? rows * stride() : 0);
  uint16_t* const bf16 = bf16_.reserve(forms.bf16 ? bf16_rows * stride() : 0);
  const int64_t end = padded_depth(depth);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = depth; column < end; ++column) {
      if (forms.f32) f32[row * stride() + column] = 0;
      if (forms.bf16) bf16[bf16_offset_of(row, column)] = 0;
    }
  }
}

void MatmulInput::store(int64_t row, int64_t column, const float* values, int64_t size) noexcept {
  if (forms_.f32) std::copy_n(values, size, f32_.data() + row * stride() + column);
  if (forms_.bf16) kernels_->f32_to_bf16(values, bf16_.data() + bf16_offset_of(row, column), size);
}

}  // namespace aios
