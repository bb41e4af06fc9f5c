/// elementwise.h on vectors. A value's result does not depend on its place in the row.
#pragma once

#include <cstdint>

#include "kernels/vector_math_impl.h"

namespace aios {
namespace {

/// y[i] = f(y[i])
template <typename Isa, typename Function>
void transform(float* y, int64_t size, Function f) noexcept {
  int64_t i = 0;
  for (; i + Isa::kLanes <= size; i += Isa::kLanes) Isa::store(y + i, f(Isa::load(y + i)));
  if (i < size) Isa::store_part(y + i, f(Isa::load_part(y + i, size - i)), size - i);
}

/// y[i] = f(x[i], y[i])
template <typename Isa, typename Function>
void transform(const float* x, float* y, int64_t size, Function f) noexcept {
  int64_t i = 0;
  for (; i + Isa::kLanes <= size; i += Isa::kLanes) {
    Isa::store(y + i, f(Isa::load(x + i), Isa::load(y + i)));
  }
  if (i == size) return;
  const int64_t rest = size - i;
  Isa::store_part(y + i, f(Isa::load_part(x + i, rest), Isa::load_part(y + i, rest)), rest);
}

/// The sum of f(i, count) over stretches of kLanes (the last may be shorter), in an order that
/// depends on `size` alone.
template <typename Isa, typename Function>
float sum_stretches(int64_t size, Function f) noexcept {
  using Vector = typename Isa::Vector;
  Vector sums[4] = {Isa::zero(), Isa::zero(), Isa::zero(), Isa::zero()};
  int64_t i = 0;
  for (; i + 4 * Isa::kLanes <= size; i += 4 * Isa::kLanes) {
    for (int j = 0; j < 4; ++j) sums[j] = Isa::add(sums[j], f(i + j * Isa::kLanes, Isa::kLanes));
  }
  for (; i < size; i += Isa::kLanes) {
    const int64_t count = size - i < Isa::kLanes ? size - i : Isa::kLanes;
    sums[0] = Isa::add(sums[0], f(i, count));
  }
  return Isa::sum(Isa::add(Isa::add(sums[0], sums[1]), Isa::add(sums[2], sums[3])));
}

template <typename Isa>
typename Isa::Vector load_up_to(const float* address, int64_t count) noexcept {
  return count == Isa::kLanes ? Isa::load(address) : Isa::load_part(address, count);
}

template <typename Isa>
void store_up_to(float* address, typename Isa::Vector v, int64_t count) noexcept {
  if (count == Isa::kLanes) {
    Isa::store(address, v);
  } else {
    Isa::store_part(address, v, count);
  }
}

/// out[j][i] = rows[i][j] for kLanes rows of four words.
template <typename Isa>
void transpose4(const float* rows, int64_t stride, float* out, int64_t out_stride) noexcept {
  typename Isa::Vector columns[4];
  Isa::transpose4(rows, stride, columns);
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) Isa::store(out + j * out_stride, columns[j]);
}

template <typename Isa>
struct Elementwise {
  using Vector = typename Isa::Vector;

  static void silu(float* x, int64_t size) noexcept {
    transform<Isa>(x, size, [](Vector v) { return Isa::mul(v, aios::sigmoid<Isa>(v)); });
  }
  static void gelu(float* x, int64_t size) noexcept {
    transform<Isa>(x, size, [](Vector v) { return aios::gelu<Isa>(v); });
  }
  static void gelu_tanh(float* x, int64_t size) noexcept {
    transform<Isa>(x, size, [](Vector v) { return aios::gelu_tanh<Isa>(v); });
  }
  static void relu(float* x, int64_t size) noexcept {
    transform<Isa>(x, size, [](Vector v) { return Isa::max(Isa::zero(), v); });
  }
  static void tanh(float* x, int64_t size) noexcept {
    transform<Isa>(x, size, [](Vector v) { return aios::tanh<Isa>(v); });
  }

  static void add(const float* x, float* y, int64_t size) noexcept {
    transform<Isa>(x, y, size, [](Vector a, Vector b) { return Isa::add(a, b); });
  }
  static void multiply(const float* x, float* y, int64_t size) noexcept {
    transform<Isa>(x, y, size, [](Vector a, Vector b) { return Isa::mul(a, b); });
  }
  static void scale(float factor, float* y, int64_t size) noexcept {
    const Vector f = Isa::fill(factor);
    transform<Isa>(y, size, [f](Vector v) { return Isa::mul(v, f); });
  }
  static void scale_add(float factor, const float* x, float* y, int64_t size) noexcept {
    const Vector f = Isa::fill(factor);
    transform<Isa>(x, y, size, [f](Vector a, Vector b) { return Isa::fma(f, a, b); });
  }
  static float dot(const float* x, const float* y, int64_t size) noexcept {
    return sum_stretches<Isa>(size, [=](int64_t i, int64_t count) {
      return Isa::mul(load_up_to<Isa>(x + i, count), load_up_to<Isa>(y + i, count));
    });
  }
};

/// How weights are read: each source widens a row's elements to f32.
template <typename Isa>
struct F32Source {
  using Stored = float;
  static typename Isa::Vector load(const float* x) noexcept { return Isa::load(x); }
  static typename Isa::Vector load_part(const float* x, int64_t count) noexcept {
    return Isa::load_part(x, count);
  }
};
template <typename Isa>
struct Bf16Source {
  using Stored = uint16_t;
  static constexpr bool kIsBf16 = true;
  static typename Isa::Vector load(const uint16_t* x) noexcept { return Isa::load_bf16(x); }
  static typename Isa::Vector load_part(const uint16_t* x, int64_t count) noexcept {
    return Isa::load_bf16_part(x, count);
  }
};
template <typename Isa>
struct F16Source {
  using Stored = uint16_t;
  static constexpr bool kIsBf16 = false;
  static typename Isa::Vector load(const uint16_t* x) noexcept { return Isa::load_f16(x); }
  static typename Isa::Vector load_part(const uint16_t* x, int64_t count) noexcept {
    return Isa::load_f16_part(x, count);
  }
};

template <typename Isa, typename Source>
void widen(const void* source, float* out, int64_t size) noexcept {
  const auto* const x = static_cast<const typename Source::Stored*>(source);
  int64_t i = 0;
  for (; i + Isa::kLanes <= size; i += Isa::kLanes) Isa::store(out + i, Source::load(x + i));
  if (i < size) Isa::store_part(out + i, Source::load_part(x + i, size - i), size - i);
}

}  // namespace
}  // namespace aios
