#include "kernels/elementwise.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include "tensor/dtype.h"

namespace aios {
namespace {

constexpr float kSqrtHalf = 1 / std::numbers::sqrt2_v<float>;
constexpr float kSqrtTwoOverPi = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;

template <typename T, typename Widen>
void to_f32(const void* x, float* out, int64_t size, Widen widen) noexcept {
  for (int64_t i = 0; i < size; ++i) {
    T value;
    std::memcpy(&value, static_cast<const T*>(x) + i, sizeof value);
    out[i] = widen(value);
  }
}

}  // namespace

void silu_reference(float* x, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) x[i] = x[i] / (1 + std::exp(-x[i]));
}

void gelu_reference(float* x, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) x[i] = 0.5F * x[i] * (1 + std::erf(x[i] * kSqrtHalf));
}

void gelu_tanh_reference(float* x, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) {
    const float inner = kSqrtTwoOverPi * (x[i] + 0.044715F * x[i] * x[i] * x[i]);
    x[i] = 0.5F * x[i] * (1 + std::tanh(inner));
  }
}

void relu_reference(float* x, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) x[i] = x[i] < 0 ? 0 : x[i];
}

void tanh_reference(float* x, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) x[i] = std::tanh(x[i]);
}

void add_reference(const float* x, float* y, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) y[i] += x[i];
}

void multiply_reference(const float* x, float* y, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) y[i] *= x[i];
}

void scale_reference(float factor, float* y, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) y[i] *= factor;
}

void scale_add_reference(float factor, const float* x, float* y, int64_t size) noexcept {
  for (int64_t i = 0; i < size; ++i) y[i] += factor * x[i];
}

float dot_reference(const float* x, const float* y, int64_t size) noexcept {
  float sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += x[i] * y[i];
  return sum;
}

void f32_to_f32_reference(const void* x, float* out, int64_t size) noexcept {
  to_f32<float>(x, out, size, [](float value) { return value; });
}

void bf16_to_f32_reference(const void* x, float* out, int64_t size) noexcept {
  to_f32<uint16_t>(x, out, size, bf16_to_float);
}

void f16_to_f32_reference(const void* x, float* out, int64_t size) noexcept {
  to_f32<uint16_t>(x, out, size, f16_to_float);
}

}  // namespace aios
