/// matmul.h on vectors, as dot products: both operands lie along the depth, so weights are read as
/// they are stored. Every result is kLanes partial sums over the depth in ascending order, added up
/// in one fixed order at the end: the same bits whatever the tile.
///
/// Loops, from outside: four columns of weights; a block of rows; a block of the depth, so that the
/// four weight rows and a tile of x stay in the first-level cache; tiles of up to kTileRows rows.
/// Between blocks of the depth the partial sums rest in memory.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/matmul.h"

namespace aios {
namespace {

constexpr int kTileColumns = 4;
constexpr int64_t kRowBlock = 48;

/// How products are formed: here f32 by f32. `Element` is the type of both operands.
template <typename Isa>
struct F32Products {
  using Element = float;
  using Operand = typename Isa::Vector;
  static constexpr int64_t kStep = Isa::kLanes;  // elements of an operand
  static constexpr int64_t kDepthBlock = 1024;   // elements
  static Operand load(const float* x) noexcept { return Isa::load(x); }
  static typename Isa::Vector multiply_add(Operand a, Operand b,
                                           typename Isa::Vector sum) noexcept {
    return Isa::fma(a, b, sum);
  }
};

/// Weights that are read where they lie.
template <typename Element>
struct SameType {
  using Stored = Element;
  static constexpr bool kIsDirect = true;
  static void copy(const Element* source, int64_t count, Element* out) noexcept {
    for (int64_t i = 0; i < count; ++i) out[i] = source[i];
  }
};

/// Weights that are widened to f32, block by block.
template <typename Isa, typename Source>
struct Widened {
  using Stored = typename Source::Stored;
  static constexpr bool kIsDirect = false;
  static void copy(const Stored* source, int64_t count, float* out) noexcept {
    widen<Isa, Source>(source, out, count);
  }
};

template <typename Isa, typename Products, typename Weights>
class Matmul {
  using Element = typename Products::Element;
  using Operand = typename Products::Operand;
  using Vector = typename Isa::Vector;
  static constexpr int kTileRows = Isa::kAccumulators / kTileColumns;
  static constexpr int64_t kLanes = Isa::kLanes;

 public:
  static void run(const MatmulArguments& arguments) noexcept { Matmul(arguments).multiply(); }

 private:
  explicit Matmul(const MatmulArguments& arguments) noexcept : a_(arguments) {}

  void multiply() noexcept {
    for (int64_t column = 0; column < a_.columns; column += kTileColumns) {
      for (int64_t row = 0; row < a_.rows; row += kRowBlock) {
        const int64_t end = a_.rows - row < kRowBlock ? a_.rows : row + kRowBlock;
        for (int64_t k = 0; k < a_.depth; k += Products::kDepthBlock) {
          take_weights(column, k);
          multiply_block(column, row, end, k);
        }
      }
    }
  }

  /// Points weights_ at the block's four rows; copies them first if they need widening or padding.
  void take_weights(int64_t column, int64_t k) noexcept {
    const int64_t rest = a_.depth - k;
    count_ = rest < Products::kDepthBlock ? rest : Products::kDepthBlock;
    const bool is_copied = !Weights::kIsDirect || count_ % Products::kStep != 0;
    for (int j = 0; j < kTileColumns; ++j) {
      // Columns beyond the last are computed as the last and not stored.
      const int64_t stored = column + j < a_.columns ? column + j : a_.columns - 1;
      const auto* const source =
          static_cast<const typename Weights::Stored*>(a_.weights) + stored * a_.weight_stride + k;
      if (is_copied) {
        Element* const copy = copies_ + j * Products::kDepthBlock;
        Weights::copy(source, count_, copy);
        for (int64_t i = count_; i % Products::kStep != 0; ++i) copy[i] = Element{};
        weights_[j] = copy;
      } else {
        weights_[j] = reinterpret_cast<const Element*>(source);
      }
    }
    count_ = (count_ + Products::kStep - 1) / Products::kStep * Products::kStep;
  }

  void multiply_block(int64_t column, int64_t row, int64_t end, int64_t k) noexcept {
    Vector* sums = reinterpret_cast<Vector*>(partial_sums_);
    const auto* x = static_cast<const Element*>(a_.x) + row * a_.x_stride + k;
    float* out = a_.out + row * a_.out_stride + column;
    for (; end - row >= kTileRows; row += kTileRows) {
      multiply_tile<kTileRows>(x, k, sums, column, out);
      x += kTileRows * a_.x_stride;
      out += kTileRows * a_.out_stride;
      sums += kTileRows * kTileColumns;
    }
    multiply_remainder<kTileRows - 1>(end - row, x, k, sums, column, out);
  }

  template <int kRows>
  void multiply_remainder(int64_t rows, const Element* x, int64_t k, Vector* sums, int64_t column,
                          float* out) noexcept {
    if constexpr (kRows > 0) {
      if (rows == kRows) {
        multiply_tile<kRows>(x, k, sums, column, out);
      } else {
        multiply_remainder<kRows - 1>(rows, x, k, sums, column, out);
      }
    }
  }

  template <int kRows>
  void multiply_tile(const Element* x, int64_t k, Vector* partial_sums, int64_t column,
                     float* out) noexcept {
    Vector sums[kRows][kTileColumns];
    for (int m = 0; m < kRows; ++m) {
      for (int n = 0; n < kTileColumns; ++n) {
        sums[m][n] = k == 0 ? Isa::zero() : partial_sums[m * kTileColumns + n];
      }
    }
    for (int64_t i = 0; i < count_; i += Products::kStep) {
      Operand weights[kTileColumns];
      for (int n = 0; n < kTileColumns; ++n) weights[n] = Products::load(weights_[n] + i);
      for (int m = 0; m < kRows; ++m) {
        const Operand activations = Products::load(x + m * a_.x_stride + i);
        for (int n = 0; n < kTileColumns; ++n) {
          sums[m][n] = Products::multiply_add(activations, weights[n], sums[m][n]);
        }
      }
    }
    if (k + Products::kDepthBlock < a_.depth) {
      for (int m = 0; m < kRows; ++m) {
        for (int n = 0; n < kTileColumns; ++n) partial_sums[m * kTileColumns + n] = sums[m][n];
      }
      return;
    }
    for (int m = 0; m < kRows; ++m) store_sums(sums[m], column, out + m * a_.out_stride);
  }

  void store_sums(const Vector (&sums)[kTileColumns], int64_t column, float* out) const noexcept {
    if (column + kTileColumns <= a_.columns) {
      Isa::store_sums4(sums, out);
      return;
    }
    float values[kTileColumns];
    Isa::store_sums4(sums, values);
    for (int64_t n = 0; n < a_.columns - column; ++n) out[n] = values[n];
  }

  const MatmulArguments& a_;
  const Element* weights_[kTileColumns];
  int64_t count_ = 0;  // of elements in the block, in whole operands
  alignas(64) Element copies_[kTileColumns * Products::kDepthBlock];
  alignas(64) float partial_sums_[kRowBlock * kTileColumns * kLanes];
};

}  // namespace
}  // namespace aios
