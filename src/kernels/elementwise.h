/// Operations on one row of values: activations, sums, conversions.
#pragma once

#include <cstdint>

namespace aios {

// x[i] = f(x[i]) for i < size.
void silu_reference(float* x, int64_t size) noexcept;  // x / (1 + exp(-x))
void gelu_reference(float* x, int64_t size) noexcept;  // x (1 + erf(x / sqrt 2)) / 2
void gelu_tanh_reference(float* x,
                         int64_t size) noexcept;  // tanh approximation of Hendrycks, Gimpel
void relu_reference(float* x, int64_t size) noexcept;
void tanh_reference(float* x, int64_t size) noexcept;

void add_reference(const float* x, float* y, int64_t size) noexcept;       // y += x
void multiply_reference(const float* x, float* y, int64_t size) noexcept;  // y *= x
void scale_reference(float factor, float* y, int64_t size) noexcept;       // y *= factor
void scale_add_reference(float factor, const float* x, float* y,
                         int64_t size) noexcept;  // y += f x
[[nodiscard]] float dot_reference(const float* x, const float* y, int64_t size) noexcept;

// out[i] = x[i] in another type. Sources may lie on any byte. Rounds to nearest even.
void f32_to_f32_reference(const void* x, float* out, int64_t size) noexcept;
void bf16_to_f32_reference(const void* x, float* out, int64_t size) noexcept;
void f16_to_f32_reference(const void* x, float* out, int64_t size) noexcept;

}  // namespace aios
