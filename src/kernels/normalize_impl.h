/// normalize.h on vectors.
#pragma once

#include "kernels/elementwise_impl.h"
#include "kernels/normalize.h"

namespace aios {
namespace {

/// out = (x - mean) * factor * weight + bias
template <typename Isa>
void write_normalized(const NormalizeArguments& a, float mean, float factor) noexcept {
  using Vector = typename Isa::Vector;
  const Vector centre = Isa::fill(mean);
  const Vector scale = Isa::fill(factor);
  for (int64_t i = 0; i < a.size; i += Isa::kLanes) {
    const int64_t count = a.size - i < Isa::kLanes ? a.size - i : Isa::kLanes;
    Vector y = Isa::mul(Isa::sub(load_up_to<Isa>(a.x + i, count), centre), scale);
    y = Isa::mul(y, load_up_to<Isa>(a.weight + i, count));
    if (a.bias != nullptr) y = Isa::add(y, load_up_to<Isa>(a.bias + i, count));
    store_up_to<Isa>(a.out + i, y, count);
  }
}

inline float inverse_root(float mean_square, float epsilon) noexcept {
  return 1 / __builtin_sqrtf(mean_square + epsilon);
}

template <typename Isa>
void rms_norm(const NormalizeArguments& a) noexcept {
  const float sum = Elementwise<Isa>::dot(a.x, a.x, a.size);
  write_normalized<Isa>(a, 0, inverse_root(sum / static_cast<float>(a.size), a.epsilon));
}

template <typename Isa>
void layer_norm(const NormalizeArguments& a) noexcept {
  using Vector = typename Isa::Vector;
  const auto size = static_cast<float>(a.size);
  const float sum = sum_stretches<Isa>(
      a.size, [&](int64_t i, int64_t count) { return load_up_to<Isa>(a.x + i, count); });
  const float mean = sum / size;
  const Vector centre = Isa::fill(mean);
  const Vector lanes = Isa::lane_indices();
  const float squares = sum_stretches<Isa>(a.size, [&](int64_t i, int64_t count) {
    const Vector centred = Isa::sub(load_up_to<Isa>(a.x + i, count), centre);
    const Vector square = Isa::mul(centred, centred);
    if (count == Isa::kLanes) return square;
    return Isa::select(Isa::less(lanes, Isa::fill(static_cast<float>(count))), square, Isa::zero());
  });
  write_normalized<Isa>(a, mean, inverse_root(squares / size, a.epsilon));
}

template <typename Isa>
void rotate(const float* cosines, const float* sines, float* x, int64_t half) noexcept {
  using Vector = typename Isa::Vector;
  for (int64_t i = 0; i < half; i += Isa::kLanes) {
    const int64_t count = half - i < Isa::kLanes ? half - i : Isa::kLanes;
    const Vector cosine = load_up_to<Isa>(cosines + i, count);
    const Vector sine = load_up_to<Isa>(sines + i, count);
    const Vector first = load_up_to<Isa>(x + i, count);
    const Vector second = load_up_to<Isa>(x + half + i, count);
    const Vector new_first = Isa::sub(Isa::mul(first, cosine), Isa::mul(second, sine));
    const Vector new_second = Isa::add(Isa::mul(second, cosine), Isa::mul(first, sine));
    store_up_to<Isa>(x + i, new_first, count);
    store_up_to<Isa>(x + half + i, new_second, count);
  }
}

}  // namespace
}  // namespace aios
