/// Products of a few rows of x, which memory bounds: weights are read once, in lines that were
/// fetched ahead, turned in registers and multiplied there.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/matmul.h"

namespace aios {
namespace {

/// Weights are as Matmul's (matmul_impl.h), and so is the order of every sum: those that are
/// multiplied as they lie, or as pairs.
template <typename Isa, typename Products, typename Weights>
class FewRowsMatmul {
  using Vector = typename Isa::Vector;
  using Word = typename Products::Word;
  using Stored = typename Weights::Stored;
  /// Words as they are stored: one element of f32, two of 16 bits.
  static constexpr int64_t kStoredElements = sizeof(float) / sizeof(Stored);
  static constexpr int64_t kElements = sizeof(Word) / sizeof(typename Products::Element);
  /// Words of x that meet one stored word.
  static constexpr int kSteps = static_cast<int>(kStoredElements / kElements);
  static constexpr int64_t kQuad = 4;  // stored words that are turned at once
  static constexpr int64_t kLine = 64 / sizeof(float);
  static constexpr int64_t kFetchedAhead = 6 * kLine;

 public:
  static constexpr int kMostRows = 7;

  /// Whether rows of weights are whole quads of aligned words.
  static bool can_multiply(const MatmulArguments& a) noexcept {
    return a.rows <= kMostRows && a.depth % (kQuad * kStoredElements) == 0 &&
           a.weight_stride % kStoredElements == 0 &&
           reinterpret_cast<uintptr_t>(a.weights) % sizeof(float) == 0;
  }

  /// The first `columns` columns, a multiple of kLanes.
  static void run(const MatmulArguments& arguments, int64_t columns) noexcept {
    FewRowsMatmul(arguments, columns).template multiply<kMostRows>();
  }

 private:
  FewRowsMatmul(const MatmulArguments& arguments, int64_t columns) noexcept
      : a_(arguments),
        columns_(columns),
        words_(arguments.depth / kStoredElements),
        stride_(arguments.weight_stride / kStoredElements),
        x_stride_(arguments.x_stride / kElements) {}

  template <int kRows>
  void multiply() const noexcept {
    if constexpr (kRows > 1) {
      if (a_.rows < kRows) return multiply<kRows - 1>();
    }
    for (int64_t column = 0; column < columns_; column += Isa::kLanes) multiply_at<kRows>(column);
  }

  template <int kRows>
  void multiply_at(int64_t column) const noexcept {
    const auto* const weights = static_cast<const float*>(a_.weights) + column * stride_;
    const auto* x = static_cast<const Word*>(a_.x);
    Vector sums[kRows];
#pragma GCC unroll 7
    for (int m = 0; m < kRows; ++m) sums[m] = Isa::zero();
    for (int64_t k = 0; k < words_; k += kQuad) {
      if (k % kLine == 0) fetch(weights, k + kFetchedAhead, column + Isa::kLanes < columns_);
      Vector turned[kQuad];
      Isa::transpose4(weights + k, stride_, turned);
#pragma GCC unroll 4
      for (int j = 0; j < kQuad; ++j) {
#pragma GCC unroll 2
        for (int step = 0; step < kSteps; ++step) {
          const typename Products::Operand weight = operand(turned[j], step);
#pragma GCC unroll 7
          for (int m = 0; m < kRows; ++m) {
            sums[m] =
                Products::multiply_add(Products::broadcast(x + m * x_stride_), weight, sums[m]);
          }
          ++x;
        }
      }
    }
#pragma GCC unroll 7
    for (int m = 0; m < kRows; ++m) {
      Isa::store(a_.out + m * a_.out_stride + column, sums[m]);
    }
  }

  /// What words of the weights are multiplied as: of pairs first the first elements.
  static typename Products::Operand operand(Vector words, int step) noexcept {
    if constexpr (Weights::kIsPairs) {
      return step == 0 ? Isa::widen_first_bf16(words) : Isa::widen_second_bf16(words);
    } else {
      return reinterpret_cast<typename Products::Operand>(words);
    }
  }

  /// A line of each row, from `word` on. Behind the rows' end it is the next rows' beginning.
  void fetch(const float* rows, int64_t word, bool has_next) const noexcept {
    if (word >= words_) {
      word -= words_;
      if (!has_next || word >= words_) return;
      rows += Isa::kLanes * stride_;
    }
    for (int64_t i = 0; i < Isa::kLanes; ++i) __builtin_prefetch(rows + i * stride_ + word, 0, 3);
  }

  const MatmulArguments& a_;
  int64_t columns_;
  int64_t words_, stride_;  // of the weights, as they are stored
  int64_t x_stride_;        // words
};

}  // namespace
}  // namespace aios
