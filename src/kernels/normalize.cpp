#include "kernels/normalize.h"

#include <cmath>

namespace aios {
namespace {

void write_scaled(const NormalizeArguments& a, float mean, float factor) noexcept {
  for (int64_t i = 0; i < a.size; ++i) {
    const float value = (a.x[i] - mean) * factor * a.weight[i];
    a.out[i] = a.bias == nullptr ? value : value + a.bias[i];
  }
}

float mean_square_about(const NormalizeArguments& a, float centre) noexcept {
  float sum = 0;
  for (int64_t i = 0; i < a.size; ++i) sum += (a.x[i] - centre) * (a.x[i] - centre);
  return sum / static_cast<float>(a.size);
}

}  // namespace

void rms_norm_reference(const NormalizeArguments& arguments) noexcept {
  write_scaled(arguments, 0, 1 / std::sqrt(mean_square_about(arguments, 0) + arguments.epsilon));
}

void layer_norm_reference(const NormalizeArguments& arguments) noexcept {
  float sum = 0;
  for (int64_t i = 0; i < arguments.size; ++i) sum += arguments.x[i];
  const float mean = sum / static_cast<float>(arguments.size);
  const float variance = mean_square_about(arguments, mean);
  write_scaled(arguments, mean, 1 / std::sqrt(variance + arguments.epsilon));
}

void rotate_reference(const float* cosines, const float* sines, float* x, int64_t half) noexcept {
  for (int64_t i = 0; i < half; ++i) {
    const float first = x[i];
    const float second = x[i + half];
    x[i] = first * cosines[i] - second * sines[i];
    x[i + half] = second * cosines[i] + first * sines[i];
  }
}

}  // namespace aios
