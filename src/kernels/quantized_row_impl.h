/// quantized_matmul.h for a single row of activations. Memory limits it: points are multiplied as
/// they are decoded, and panels are read from two places in turn, which memory serves faster than
/// one (docs/log.md).
#pragma once

#include <cstdint>

#include "kernels/quantized_matmul.h"
#include "kernels/quantized_points_impl.h"
#include "kernels/quantized_results_impl.h"

namespace aios {
namespace {

/// Units of the depth as an instruction set multiplies them without decoding each point, where it
/// can (quantized_row_avx2.h).
template <typename Isa, QuantType kType>
class UnitBlocks {
 public:
  static constexpr bool kCanAdd = false;
};

/// @tparam kLayout of x
template <typename Isa, QuantizedLayout kLayout>
class QuantizedRowMatmul {
  using Ops = QuantizedOps<Isa>;
  using Decoder = PointDecoder<Ops>;
  using Vector = typename Isa::Vector;
  static constexpr int64_t kVectors = Decoder::kVectors;
  static constexpr int kChains = Ops::kRowChains;
  static constexpr int64_t kWordStride = kLayout.step_offset(kWordDepth);
  static_assert(Ops::kMultipliesDecoded && Ops::kRows == Isa::kLanes);
  static_assert(kLayout.block_depth % kWordDepth == 0);

 public:
  static void run(const QuantizedMatmulArguments& arguments) noexcept {
    switch (arguments.weights->format.type) {
      case QuantType::kInt4:
        return multiply<QuantType::kInt4>(arguments);
      case QuantType::kInt2:
        return multiply<QuantType::kInt2>(arguments);
      default:
        return multiply<QuantType::kInt8>(arguments);
    }
  }

 private:
  /// Pairs of panels, one from each half of the columns.
  template <QuantType kType>
  static void multiply(const QuantizedMatmulArguments& a) noexcept {
    const int64_t panels = QuantizedFormat::num_panels(a.columns);
    for (int64_t i = 0; i < panels / 2; ++i) {
      multiply_panels<kType, 2>(a, i * kPanelRows, panels / 2 * kPanelRows);
    }
    if (panels % 2 == 1) multiply_panels<kType, 1>(a, (panels - 1) * kPanelRows, 0);
  }

  /// @param column of the first panel
  /// @param stride from one panel's column to the next's
  template <QuantType kType, int64_t kPanels>
  static void multiply_panels(const QuantizedMatmulArguments& a, int64_t column,
                              int64_t stride) noexcept {
    const QuantizedMatrix& weights = *a.weights;
    const int64_t depth = QuantizedFormat::padded(weights.depth);
    const int64_t group = weights.format.group_size;
    const int64_t step = group == 0 ? kMaxGroup : group;
    Vector totals[kPanels][kVectors];
#pragma GCC unroll 2
    for (int64_t p = 0; p < kPanels; ++p) {
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) totals[p][v] = Isa::zero();
    }
    for (int64_t k = 0; k < depth; k += step) {
      const int64_t end = depth - k < step ? depth : k + step;
      const Vector x_scale = Isa::fill(a.x_scales[k / kMaxGroup * a.x_stride]);
      UnitBlocks<Isa, kType> unit_blocks;
      if constexpr (UnitBlocks<Isa, kType>::kCanAdd) {
        unit_blocks.template set_codes<kWordStride>(a.x + kLayout.step_offset(k), end - k);
      }
#pragma GCC unroll 2
      for (int64_t p = 0; p < kPanels; ++p) {
        const int64_t panel = (a.column + column + p * stride) / kPanelRows;
        const uint16_t* const scales =
            group == 0 ? nullptr : weights.panel_scales(panel) + k / step * kPanelRows;
        typename Ops::Sums sums[kVectors];
        sum_step(a, panel, k, end, unit_blocks, sums);
#pragma GCC unroll 4
        for (int64_t v = 0; v < kVectors; ++v) {
          const Vector whole = Ops::to_floats(sums[v]);
          totals[p][v] = group == 0
                             ? Isa::fma(whole, x_scale, totals[p][v])
                             : Isa::fma(Isa::mul(whole, x_scale),
                                        Isa::load_f16(scales + v * Ops::kRows), totals[p][v]);
        }
      }
    }
    for (int64_t p = 0; p < kPanels; ++p) {
      alignas(64) float sums[kPanelRows];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) Isa::store(sums + v * Ops::kRows, totals[p][v]);
      PanelResults<Isa>(a, column + p * stride).store(sums, 0, 1);
    }
  }

  /// The integer sums of [begin, end) of the depth. Words take turns with kRowChains sums, so that
  /// one does not wait for the other.
  template <QuantType kType>
  static void sum_step(const QuantizedMatmulArguments& a, int64_t panel, int64_t begin, int64_t end,
                       const UnitBlocks<Isa, kType>& unit_blocks,
                       typename Ops::Sums (&out)[kVectors]) noexcept {
    const uint8_t* const codes = a.weights->panel_codes(panel);
    const uint8_t* const blocks = a.weights->panel_blocks(panel);
    const auto start = Ops::start(row_start(a.x_starts, a.x_stride, begin, end - begin));
    typename Ops::Sums sums[kVectors][kChains];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      out[v] = Ops::zero();
      sums[v][0] = start;
      for (int c = 1; c < kChains; ++c) sums[v][c] = Ops::zero();
    }
    for (int64_t k = begin; k < end; k += kDepthUnit) {
      if constexpr (UnitBlocks<Isa, kType>::kCanAdd) {
        if (unit_blocks.add(codes, blocks, k / kDepthUnit, (k - begin) / kWordDepth, out)) continue;
      }
      const int8_t* const x = a.x + kLayout.step_offset(k);
      Decoder::template visit_unit<kType>(
          codes, blocks, k / kDepthUnit, [&](int64_t word, int64_t v, typename Ops::Bytes points) {
            const auto steps = Ops::broadcast(x + kLayout.step_offset(word * kWordDepth));
            auto& sum = sums[v][word % kChains];
            sum = Ops::dot_bytes(sum, points, steps);
          });
    }
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      for (int c = 0; c < kChains; ++c) out[v] = Ops::add_sums(out[v], sums[v][c]);
    }
  }
};

}  // namespace
}  // namespace aios
