/// One step of quantized_matmul.h for a few rows of x by a few vectors of columns, on vectors.
#pragma once

#include <cstdint>

#include "kernels/quantized_matmul.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

/// What the tiles of some columns multiply in one step (quantized_matmul.h), and where they add.
/// The columns are the same of each of kPanels panels.
template <int64_t kPanels>
struct QuantizedStep {
  int64_t begin = 0;  // of the depth
  int64_t depth = 0;
  const uint8_t* points[kPanels];       // from the first column, at `begin`
  const float* scales[kPanels];         // likewise; null: one for a whole row, not needed here
  const int32_t* starts[kPanels] = {};  // of the columns' sums; where instruction sets have them
  float* sums[kPanels];                 // [rows, kPanelRows], from the first column
  bool adds = false;                    // to `sums`, else overwrites them
  bool reads_codes = false;             // for the first time: points are in no cache yet
};

/// The rows of x of a tile.
struct TileRows {
  const int8_t* codes = nullptr;    // from the step's begin
  const float* scales = nullptr;    // of the step, row by row
  const int32_t* starts = nullptr;  // likewise: what their sums start from
  int64_t row = 0;                  // of the sums
  int64_t ahead = 0;                // behind the step's points: bytes to be fetched begin there
  int64_t unit_ahead = 0;           // these bytes of each panel, during each unit of the depth

  /// On to the rows behind `count` that had `units` of the depth; `codes` is left to the caller.
  [[gnu::always_inline]] void skip(int64_t count, int64_t units) noexcept {
    scales += count;
    starts += count;
    row += count;
    ahead += units * unit_ahead;
  }
};

/// @tparam kLayout of x
/// @tparam kRows of x
/// @tparam kVectors of columns
template <typename Isa, QuantizedLayout kLayout, int64_t kPanels, int kRows, int kVectors>
class QuantizedTile {
  using Ops = QuantizedOps<Isa>;
  using Vector = typename Isa::Vector;
  using Step = QuantizedStep<kPanels>;
  /// Few rows have several sums each, so that one does not wait for the other.
  static constexpr int kRegisters =
      kRows * kVectors * static_cast<int>(sizeof(typename Ops::Sums) / sizeof(Vector));
  static constexpr int kChains = kRegisters <= 2 ? 4 : kRegisters <= 6 ? 2 : 1;
  using Sums = typename Ops::Sums[kChains][kRows][kVectors];
  static constexpr int64_t kUnitWords = kDepthUnit / kWordDepth;
  static constexpr int64_t kWordBytes = kPanelRows * kWordDepth * Ops::kPointBytes;
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth * Ops::kPointBytes;
  static constexpr int64_t kPanelVectors = kVectors / kPanels;
  static_assert(kVectors % kPanels == 0 && Ops::kRows == Isa::kLanes);
  static_assert(kLayout.block_depth == kWordDepth || kLayout.block_depth % kDepthUnit == 0);

 public:
  /// Loops over sums are unrolled by name, as in outer_product_impl.h.
  /// @tparam kFetches what lies behind the step
  template <bool kFetches>
  [[gnu::always_inline]] static void multiply(const Step& step, const TileRows& x) noexcept {
    Sums sums;
    start(step, x, sums);
    const uint8_t* points[kPanels];
    for (int64_t p = 0; p < kPanels; ++p) points[p] = step.points[p];
    const int8_t* codes = x.codes;
    int64_t ahead = step.depth * kPanelRows + x.ahead;
    for (int64_t k = step.begin; k < step.begin + step.depth; k += kDepthUnit) {
      if constexpr (kFetches) {
        fetch(step, ahead, ahead + x.unit_ahead);
        ahead += x.unit_ahead;
      }
      multiply_unit(points, codes, sums);
      for (int64_t p = 0; p < kPanels; ++p) points[p] += kUnitWords * kWordBytes;
      codes += unit_bytes(k);
    }
    if (step.scales[0] == nullptr) {
      step.adds ? leave<true, true>(step, x, sums) : leave<true, false>(step, x, sums);
    } else {
      step.adds ? leave<false, true>(step, x, sums) : leave<false, false>(step, x, sums);
    }
  }

 private:
  [[gnu::always_inline]] static void fetch(const Step& step, int64_t begin, int64_t end) noexcept {
    constexpr int64_t kLine = 64;
    for (int64_t i = begin; i < end; i += kLine) {
      for (int64_t p = 0; p < kPanels; ++p) __builtin_prefetch(step.points[p] + i);
    }
  }
  /// Of a vector of columns: its panel, and the first column in it.
  static constexpr int64_t panel_of(int vector) noexcept { return vector / kPanelVectors; }
  static constexpr int64_t column_of(int vector) noexcept {
    return vector % kPanelVectors * Ops::kRows;
  }
  /// From the codes of the unit at k to those of the next.
  static int64_t unit_bytes(int64_t k) noexcept {
    if constexpr (kLayout.block_depth <= kDepthUnit) return kLayout.step_offset(kDepthUnit);
    return kLayout.step_offset(k + kDepthUnit) - kLayout.step_offset(k);
  }

  [[gnu::always_inline]] static void start(const Step& step, const TileRows& x,
                                           Sums& sums) noexcept {
#pragma GCC unroll 16
    for (int m = 0; m < kRows; ++m) {
      const auto value = Ops::start(x.starts[m]);
#pragma GCC unroll 8
      for (int n = 0; n < kVectors; ++n) {
        if constexpr (Ops::kStartsByColumn) {
          sums[0][m][n] = Ops::load_start(step.starts[panel_of(n)] + column_of(n));
        } else {
          sums[0][m][n] = value;
        }
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) sums[c][m][n] = Ops::zero();
      }
    }
  }

  [[gnu::always_inline]] static void multiply_unit(const uint8_t* const (&points)[kPanels],
                                                   const int8_t* codes, Sums& sums) noexcept {
#pragma GCC unroll 8
    for (int64_t word = 0; word < kUnitWords; ++word) {
      typename Ops::Points columns[kVectors];
#pragma GCC unroll 8
      for (int n = 0; n < kVectors; ++n) {
        columns[n] = Ops::load_points(points[panel_of(n)] + word * kWordBytes +
                                      n % kPanelVectors * kVectorBytes);
      }
#pragma GCC unroll 16
      for (int m = 0; m < kRows; ++m) {
        const auto steps = Ops::broadcast(codes + kLayout.step_offset(word * kWordDepth) +
                                          m * kLayout.block_depth);
#pragma GCC unroll 8
        for (int n = 0; n < kVectors; ++n) {
          auto& sum = sums[word % kChains][m][n];
          sum = Ops::dot(sum, columns[n], steps);
        }
      }
    }
  }

  template <bool kWholeRows, bool kAdds>
  [[gnu::always_inline]] static void leave(const Step& step, const TileRows& x,
                                           const Sums& sums) noexcept {
    float* sums_of[kPanels];
    for (int64_t p = 0; p < kPanels; ++p) sums_of[p] = step.sums[p] + x.row * kPanelRows;
    Vector scales[kVectors];
#pragma GCC unroll 8
    for (int n = 0; n < kVectors; ++n) {
      scales[n] = kWholeRows ? Isa::zero() : Isa::load(step.scales[panel_of(n)] + column_of(n));
    }
#pragma GCC unroll 16
    for (int m = 0; m < kRows; ++m) {
      const Vector x_scale = Isa::fill(x.scales[m]);
#pragma GCC unroll 8
      for (int n = 0; n < kVectors; ++n) {
        auto total = sums[0][m][n];
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) total = Ops::add_sums(total, sums[c][m][n]);
        float* const sum = sums_of[panel_of(n)] + m * kPanelRows + column_of(n);
        const Vector before = kAdds ? Isa::load(sum) : Isa::zero();
        const Vector whole = Ops::to_floats(total);
        Isa::store(sum, kWholeRows ? Isa::fma(whole, x_scale, before)
                                   : Isa::fma(Isa::mul(whole, x_scale), scales[n], before));
      }
    }
  }
};

}  // namespace
}  // namespace aios
