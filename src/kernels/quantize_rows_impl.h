/// Rows of activations to 8 bits (quantized_matmul.h), on vectors.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/quantized_matmul.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

/// What the elements of a stretch have in common.
struct StretchRange {
  bool is_finite;
  float largest;  // magnitude; 0 where it is too small to divide by, or not finite

  [[nodiscard]] float scale() const noexcept {
    return is_finite ? largest / kMaxCode : __builtin_nanf("");
  }
  [[nodiscard]] float factor() const noexcept { return largest == 0 ? 0 : kMaxCode / largest; }
};

template <typename Isa>
StretchRange range_of(const float* x, int64_t size) noexcept {
  auto maximum = Isa::zero();
  auto poison = Isa::zero();  // NaN if an element is not finite
  for (int64_t k = 0; k < size; k += Isa::kLanes) {
    const auto v = load_up_to<Isa>(x + k, size - k < Isa::kLanes ? size - k : Isa::kLanes);
    maximum = Isa::max(maximum, Isa::abs(v));
    poison = Isa::fma(v, Isa::zero(), poison);
  }
  const bool is_finite = Isa::sum(poison) == 0;
  const float largest = is_finite ? Isa::max_element(maximum) : 0;
  return {is_finite, largest < kSmallestMaximum ? 0 : largest};
}

/// A stretch of one row from step `begin`: `size` elements x, zeros up to `padded_size`.
template <typename Isa>
void quantize_stretch(const float* x, int64_t begin, int64_t size, int64_t padded_size,
                      const QuantizedRow& row) noexcept {
  using Ops = QuantizedOps<Isa>;
  const StretchRange range = range_of<Isa>(x, size);
  row.scale(begin) = range.scale();
  const auto factor = Isa::fill(range.factor());
  const bool in_one_piece = row.layout.block_depth >= kDepthUnit;
  int32_t start = 0;
  for (int64_t unit = 0; unit < padded_size; unit += kDepthUnit) {
    const int64_t k = begin + unit;
    typename Ops::Codes sum = Ops::no_codes();
    int8_t words[kDepthUnit];
    int8_t* const target = in_one_piece ? &row.code(k) : words;
    for (int64_t i = 0; i < kDepthUnit; i += Isa::kLanes) {
      const int64_t left = size - unit - i;
      typename Ops::Codes codes = Ops::no_codes();
      if (range.is_finite && left > 0) {
        const auto v = load_up_to<Isa>(x + unit + i, left < Isa::kLanes ? left : Isa::kLanes);
        codes = Ops::round(Isa::mul(v, factor));
      }
      Ops::store_codes(target + i, codes);
      sum = Ops::add_codes(sum, codes);
    }
    for (int64_t i = 0; i < kDepthUnit && !in_one_piece; i += kWordDepth) {
      __builtin_memcpy(&row.code(k + i), words + i, kWordDepth);
    }
    if (unit >= size) continue;
    start -= static_cast<int32_t>(kGridZero) * Ops::sum_codes(sum);
    row.start(k) = start;
  }
}

/// A stretch of a whole block of kRows rows whose words take turns, as an instruction set rounds it
/// best: made of the rows' elements, it tells whether all are finite (is_finite), and if so stores
/// scales (store_scales) and codes with their starts (round), see quantize_block_avx512.h. Where a
/// translation unit includes no definition for its Isa, rows are rounded one by one.
template <typename Isa>
class QuantizedBlock;

/// @param size of the stretch, a multiple of kDepthUnit, from step `begin`
/// @return false, and nothing is done, if an element is not finite
template <typename Isa>
bool quantize_block(const float* x, int64_t x_stride, int64_t begin, int64_t size,
                    const QuantizedRows& rows) noexcept {
  const QuantizedBlock<Isa> block(x, x_stride, size);
  if (!block.is_finite()) return false;
  block.store_scales(rows.scales + begin / kMaxGroup * rows.stride);
  block.round(x, x_stride, size, rows.codes + rows.layout.step_offset(begin),
              rows.starts + begin / kDepthUnit * rows.stride, rows.stride);
  return true;
}

/// quantize_rows_reference on vectors.
template <typename Isa>
void quantize_rows(const float* x, int64_t x_stride, int64_t num_rows, int64_t depth,
                   const QuantizedRows& rows) noexcept {
  const int64_t padded_depth = rows.layout.padded(depth);
  for (int64_t begin = 0; begin < depth; begin += kMaxGroup) {
    const int64_t size = depth - begin < kMaxGroup ? depth - begin : kMaxGroup;
    if constexpr (requires { QuantizedBlock<Isa>::kRows; }) {
      const QuantizedLayout block{QuantizedBlock<Isa>::kRows, kWordDepth};
      if (rows.layout == block && num_rows == block.block_rows && size % kDepthUnit == 0 &&
          quantize_block<Isa>(x + begin, x_stride, begin, size, rows)) {
        continue;
      }
    }
    const int64_t left = padded_depth - begin;
    for (int64_t m = 0; m < num_rows; ++m) {
      quantize_stretch<Isa>(x + m * x_stride + begin, begin, size,
                            left < kMaxGroup ? left : kMaxGroup, rows.row(m));
    }
  }
}

}  // namespace
}  // namespace aios
