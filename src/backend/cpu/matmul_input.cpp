#include "backend/cpu/matmul_input.h"

#include <algorithm>

namespace aios {

void MatmulInput::reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth) {
  kernels_ = &kernels;
  forms_ = forms;
  depth_ = depth;
  float* const f32 = f32_.reserve(forms.f32 ? rows * stride() : 0);
  uint16_t* const bf16 = bf16_.reserve(forms.bf16 ? rows * stride() : 0);
  const int64_t padding = stride() - depth;
  if (padding == 0) return;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t end = row * stride() + depth;
    if (forms.f32) std::fill_n(f32 + end, padding, 0.0F);
    if (forms.bf16) std::fill_n(bf16 + end, padding, uint16_t{0});
  }
}

void MatmulInput::store(int64_t row, int64_t column, const float* values, int64_t size) noexcept {
  const int64_t offset = row * stride() + column;
  if (forms_.f32) std::copy_n(values, size, f32_.data() + offset);
  if (forms_.bf16) kernels_->f32_to_bf16(values, bf16_.data() + offset, size);
}

}  // namespace aios
