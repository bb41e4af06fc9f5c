#include "kernels/matmul.h"

#include <cstring>

#include "tensor/dtype.h"

namespace aios {
namespace {

/// A mapped weight may lie on any byte.
template <typename T>
T load_unaligned(const T* address) noexcept {
  T value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

template <typename Weight, typename Widen>
void matmul_reference(const MatmulArguments& a, Widen widen) noexcept {
  const auto* x = static_cast<const float*>(a.x);
  const auto* weights = static_cast<const Weight*>(a.weights);
  for (int64_t m = 0; m < a.rows; ++m) {
    for (int64_t n = 0; n < a.columns; ++n) {
      float sum = 0;
      for (int64_t k = 0; k < a.depth; ++k) {
        sum += x[m * a.x_stride + k] * widen(load_unaligned(weights + n * a.weight_stride + k));
      }
      a.out[m * a.out_stride + n] = sum;
    }
  }
}

}  // namespace

void matmul_f32_f32_reference(const MatmulArguments& arguments) noexcept {
  matmul_reference<float>(arguments, [](float value) { return value; });
}

void matmul_f32_bf16_reference(const MatmulArguments& arguments) noexcept {
  matmul_reference<uint16_t>(arguments, bf16_to_float);
}

void matmul_f32_f16_reference(const MatmulArguments& arguments) noexcept {
  matmul_reference<uint16_t>(arguments, f16_to_float);
}

}  // namespace aios
