/// The inner loop that matmul and attention share.
#pragma once

#include <cstdint>

namespace aios {
namespace {

/// How a product is formed: here of floats. `Word` is what one step of the depth reads of a row.
template <typename Isa>
struct F32Products {
  using Element = float;
  using Word = float;
  using Operand = typename Isa::Vector;
  static Operand load(const float* words) noexcept { return Isa::load(words); }
  static Operand broadcast(const float* word) noexcept { return Isa::fill(*word); }
  static typename Isa::Vector multiply_add(Operand a, Operand b,
                                           typename Isa::Vector sum) noexcept {
    return Isa::fma(a, b, sum);
  }
};

/// Rows a, columns b: out[m][n] += sum over k of a[m][k] * b[k][n]; strides in words.
template <typename Products>
struct OuterProductArguments {
  int64_t depth;
  const typename Products::Word* a;
  int64_t a_stride;
  const float* b;  // of words; any type
  int64_t b_stride;
  float* out;
  int64_t out_stride;
  bool adds;  // to `out`, else overwrites it
};

/// One sum per output, over k in ascending order: the same bits whatever kRows and kVectors. The
/// loops over sums are unrolled by name: GCC unrolls them by itself, but too late to keep the sums
/// in registers between loops.
template <typename Isa, typename Products, int kRows, int kVectors>
void outer_product_tile(const OuterProductArguments<Products>& p, int64_t row,
                        int64_t column) noexcept {
  using Vector = typename Isa::Vector;
  const typename Products::Word* const a = p.a + row * p.a_stride;
  const float* b = p.b + column;
  float* const out = p.out + row * p.out_stride + column;
  const int64_t a_stride = p.a_stride;
  const int64_t b_stride = p.b_stride;
  const int64_t out_stride = p.out_stride;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 24
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      sums[m][n] = p.adds ? Isa::load(out + m * out_stride + n * Isa::kLanes) : Isa::zero();
    }
  }
  for (int64_t k = 0; k < p.depth; ++k) {
    typename Products::Operand columns[kVectors];
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) columns[n] = Products::load(b + n * Isa::kLanes);
    b += b_stride;
#pragma GCC unroll 24
    for (int m = 0; m < kRows; ++m) {
      const typename Products::Operand factor = Products::broadcast(a + m * a_stride + k);
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) {
        sums[m][n] = Products::multiply_add(factor, columns[n], sums[m][n]);
      }
    }
  }
#pragma GCC unroll 24
  for (int m = 0; m < kRows; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) {
      Isa::store(out + m * out_stride + n * Isa::kLanes, sums[m][n]);
    }
  }
}

/// The last rows, fewer than a whole tile.
template <typename Isa, typename Products, int kRows, int kVectors>
void outer_product_rest(const OuterProductArguments<Products>& p, int64_t row, int64_t rows,
                        int64_t column) noexcept {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      outer_product_tile<Isa, Products, kRows, kVectors>(p, row, column);
    } else {
      outer_product_rest<Isa, Products, kRows - 1, kVectors>(p, row, rows, column);
    }
  }
}

/// Rows [0, rows), kVectors vectors of columns from `column`.
template <typename Isa, typename Products, int kVectors>
void outer_product(const OuterProductArguments<Products>& p, int64_t rows,
                   int64_t column) noexcept {
  constexpr int kTileRows = Isa::kAccumulators / kVectors;
  int64_t row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) {
    outer_product_tile<Isa, Products, kTileRows, kVectors>(p, row, column);
  }
  outer_product_rest<Isa, Products, kTileRows - 1, kVectors>(p, row, rows - row, column);
}

}  // namespace
}  // namespace aios
