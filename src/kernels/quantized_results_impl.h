/// The last steps of quantised products, on vectors.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/quantized_matmul.h"

namespace aios {
namespace {

/// The last steps of `count` columns from `column` of rows [row, row + rows): sums[row][kPanelRows]
/// times `scale`, bias and what stood there added.
template <typename Isa>
void store_results(const QuantizedMatmulArguments& a, const float* sums, typename Isa::Vector scale,
                   int64_t row, int64_t rows, int64_t column, int64_t count) noexcept {
  using Vector = typename Isa::Vector;
  const bool has_bias = a.bias != nullptr;
  const Vector bias = has_bias ? load_up_to<Isa>(a.bias + column, count) : Isa::zero();
  for (int64_t m = 0; m < rows; ++m) {
    float* const out = a.out + (row + m) * a.out_stride + column;
    Vector result = Isa::mul(Isa::load(sums + m * kPanelRows), scale);
    if (has_bias) result = Isa::add(result, bias);
    if (a.adds) result = Isa::add(load_up_to<Isa>(out, count), result);
    store_up_to<Isa>(out, result, count);
  }
}

/// The same for all columns of a panel.
template <typename Isa>
void store_panel(const QuantizedMatmulArguments& a, const float* sums, int64_t column, int64_t row,
                 int64_t rows) noexcept {
  const QuantizedMatrix& weights = *a.weights;
  const uint16_t* const scales = weights.format.group_size == 0
                                     ? weights.panel_scales((a.column + column) / kPanelRows)
                                     : nullptr;
  for (int64_t n = 0; n < kPanelRows && column + n < a.columns; n += Isa::kLanes) {
    const int64_t left = a.columns - column - n;
    const int64_t count = left < Isa::kLanes ? left : Isa::kLanes;
    const auto scale = scales == nullptr ? Isa::fill(1) : Isa::load_f16(scales + n);
    store_results<Isa>(a, sums + n, scale, row, rows, column + n, count);
  }
}

}  // namespace
}  // namespace aios
