/// The last steps of quantised products, on vectors.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/quantized_matmul.h"

namespace aios {
namespace {

/// A panel's scales of one group, in f32.
template <typename Isa>
void load_scales(const uint16_t* scales, float (&out)[kPanelRows]) noexcept {
  for (int64_t n = 0; n < kPanelRows; n += Isa::kLanes) {
    Isa::store(out + n, Isa::load_f16(scales + n));
  }
}

/// A panel's columns of the results: how their sums end.
template <typename Isa>
class PanelResults {
  using Vector = typename Isa::Vector;
  static constexpr int64_t kVectors = kPanelRows / Isa::kLanes;

 public:
  /// @param column of the results, the panel's first
  PanelResults(const QuantizedMatmulArguments& a, int64_t column) noexcept
      : a_(a), out_(a.out + column) {
    const QuantizedMatrix& weights = *a.weights;
    const uint16_t* const scales = weights.format.group_size == 0
                                       ? weights.panel_scales((a.column + column) / kPanelRows)
                                       : nullptr;
    for (int64_t v = 0; v < kVectors; ++v) {
      const int64_t n = v * Isa::kLanes;
      const int64_t left = a.columns - column - n;
      counts_[v] = left < 0 ? 0 : left < Isa::kLanes ? left : Isa::kLanes;
      scales_[v] = scales == nullptr ? Isa::fill(1) : Isa::load_f16(scales + n);
      bias_[v] = a.bias == nullptr ? Isa::zero() : load_up_to<Isa>(a.bias + column + n, counts_[v]);
    }
  }

  /// Rows [row, row + rows): sums[row][kPanelRows] times the scales of whole rows, bias and what
  /// stood there added.
  void store(const float* sums, int64_t row, int64_t rows) const noexcept {
    if (a_.adds) {
      a_.bias == nullptr ? store_rows<true, false>(sums, row, rows)
                         : store_rows<true, true>(sums, row, rows);
    } else {
      a_.bias == nullptr ? store_rows<false, false>(sums, row, rows)
                         : store_rows<false, true>(sums, row, rows);
    }
  }

 private:
  /// Rows of results lie far apart: they are fetched ahead.
  template <bool kAdds, bool kHasBias>
  void store_rows(const float* sums, int64_t row, int64_t rows) const noexcept {
    constexpr int64_t kRowsAhead = 8;
    constexpr int64_t kLineFloats = 16;  // of a cache line
    const int64_t stride = a_.out_stride;
    float* out = out_ + row * stride;
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t n = 0; n < kPanelRows && m + kRowsAhead < rows; n += kLineFloats) {
        __builtin_prefetch(out + kRowsAhead * stride + n, 1);
      }
#pragma GCC unroll 8
      for (int64_t v = 0; v < kVectors; ++v) {
        const int64_t n = v * Isa::kLanes;
        if (counts_[v] == 0) break;
        Vector result = Isa::mul(Isa::load(sums + n), scales_[v]);
        if constexpr (kHasBias) result = Isa::add(result, bias_[v]);
        if constexpr (kAdds) result = Isa::add(load_up_to<Isa>(out + n, counts_[v]), result);
        store_up_to<Isa>(out + n, result, counts_[v]);
      }
      sums += kPanelRows;
      out += stride;
    }
  }

  const QuantizedMatmulArguments& a_;
  float* out_;
  int64_t counts_[kVectors];  // columns of each vector that there are
  Vector scales_[kVectors];
  Vector bias_[kVectors];
};

}  // namespace
}  // namespace aios
