/// matmul.h on vectors. Every result is one sum over the depth in ascending order, whatever the
/// tile: with f32 products the same bits on every instruction set that has fma.
///
/// Weights are read where they lie, once per call: a panel of kPanelColumns columns and kPanelDepth
/// words is transposed into the first-level cache, then all rows of x pass over it. Either the
/// depth goes on first, and x passes once for each panel of columns, or the columns do, and the
/// sums rest in `out` meanwhile. A few rows have a way of their own.
#pragma once

#include <cstdint>

#include "kernels/elementwise_impl.h"
#include "kernels/matmul.h"
#include "kernels/matmul_few_rows_impl.h"
#include "kernels/outer_product_impl.h"

namespace aios {
namespace {

/// Weights of the type that is multiplied.
template <typename Element>
struct SameType {
  using Stored = Element;
  static constexpr bool kIsDirect = true;
  static constexpr bool kIsPairs = false;
  static void copy(const Element* source, int64_t count, Element* out) noexcept {
    for (int64_t i = 0; i < count; ++i) out[i] = source[i];
  }
};

/// Weights that are widened to f32 first.
template <typename Isa, typename Source>
struct Widened {
  using Stored = typename Source::Stored;
  static constexpr bool kIsDirect = false;
  /// Two elements are turned as one word and widened then: half as many to move.
  static constexpr bool kIsPairs = Source::kIsBf16;
  static void copy(const Stored* source, int64_t count, float* out) noexcept {
    widen<Isa, Source>(source, out, count);
  }
};

template <typename Isa, typename Products, typename Weights>
class Matmul {
  using Element = typename Products::Element;
  using Word = typename Products::Word;
  using Stored = typename Weights::Stored;
  static constexpr int kPanelVectors = Isa::kColumnVectors;
  static constexpr int64_t kPanelColumns = kPanelVectors * Isa::kLanes;
  static constexpr int64_t kPanelDepth = 128;  // words
  static constexpr int64_t kWordElements = sizeof(Word) / sizeof(Element);
  static constexpr int64_t kRowBlock = 48;
  /// Of x, that stay in a second-level cache beside panels and sums: half a MiB.
  static constexpr int64_t kCachedWords = 131072;
  /// Few rows read fewer rows of the weights at a time than a first-level cache has pages or ways
  /// for.
  static constexpr int kFewRowsVectors = 2;
  using FewRows = FewRowsMatmul<Isa, Products, Weights>;

 public:
  static void run(const MatmulArguments& arguments) noexcept { Matmul(arguments).multiply(); }

 private:
  explicit Matmul(const MatmulArguments& arguments) noexcept
      : a_(arguments), words_((arguments.depth + kWordElements - 1) / kWordElements) {}

  void multiply() noexcept {
    int64_t column = 0;
    if constexpr (Weights::kIsDirect || Weights::kIsPairs) {
      if (FewRows::can_multiply(a_)) {
        column = a_.columns / Isa::kLanes * Isa::kLanes;
        FewRows::run(a_, column);
      }
    }
    if (a_.rows <= FewRows::kMostRows) {
      multiply_along_depth<kFewRowsVectors>(column);
    } else if (words_ < a_.columns || a_.rows * words_ <= kCachedWords) {
      multiply_along_depth<kPanelVectors>(column);
    } else {
      multiply_along_columns();
    }
  }

  /// Memory is read along the rows of the weights. Columns from `column` on.
  template <int kVectors>
  void multiply_along_depth(int64_t column) noexcept {
    constexpr int64_t kColumns = kVectors * Isa::kLanes;
    for (; column < a_.columns; column += kColumns) {
      for (int64_t k = 0; k < words_; k += kPanelDepth) {
        const bool is_last = k + kPanelDepth >= words_;
        multiply_slice<kVectors>(column, k, is_last ? column + kColumns : column,
                                 is_last ? 0 : k + kPanelDepth);
      }
    }
  }

  /// A slice of x stays in the second-level cache.
  void multiply_along_columns() noexcept {
    for (int64_t k = 0; k < words_; k += kPanelDepth) {
      for (int64_t column = 0; column < a_.columns; column += kPanelColumns) {
        const bool is_last = column + kPanelColumns >= a_.columns;
        multiply_slice<kPanelVectors>(column, k, is_last ? 0 : column + kPanelColumns,
                                      is_last ? k + kPanelDepth : k);
      }
    }
  }

  /// kVectors vectors of columns from `column`, words from k; what is next is fetched, if there is
  /// anything.
  template <int kVectors>
  void multiply_slice(int64_t column, int64_t k, int64_t next_column, int64_t next_k) noexcept {
    const int64_t count = words_ - k < kPanelDepth ? words_ - k : kPanelDepth;
    const int64_t left = a_.columns - column;
    const int64_t needed = (left + Isa::kLanes - 1) / Isa::kLanes;
    const int64_t vectors = needed < kVectors ? needed : kVectors;
    fill_panel(column, k, count, vectors);
    if (next_column < a_.columns && next_k < words_) {
      prefetch_panel(next_column, kVectors * Isa::kLanes, next_k);
    }
    if (left >= vectors * Isa::kLanes) {
      multiply_panel<kVectors>(vectors, 0, a_.rows, k, count, a_.out + column, a_.out_stride);
    } else {
      multiply_last_panel(column, k, count, vectors);
    }
  }

  /// panel_[i][j] = word k + i of weight row column + j, for `vectors` vectors of j
  void fill_panel(int64_t column, int64_t k, int64_t count, int64_t vectors) noexcept {
    for (int64_t j = 0; j < vectors * Isa::kLanes; j += Isa::kLanes) {
      if constexpr (Weights::kIsPairs) {
        if (can_read_pairs(column + j, k, count)) {
          turn_pairs(column + j, k, count, panel_ + j);
          continue;
        }
      }
      const float* rows = staged_;
      int64_t stride = kPanelDepth;
      if (can_read_words(column + j, k + count)) {
        rows = reinterpret_cast<const float*>(weight(column + j, k));
        stride = a_.weight_stride / kWordElements;
      } else {
        stage_rows(column + j, k, count);
      }
      float* const out = panel_ + j;
      int64_t i = 0;
      for (; i + 4 <= count; i += 4) {
        transpose4<Isa>(rows + i, stride, out + i * kPanelColumns, kPanelColumns);
      }
      for (; i < count; ++i) {
        for (int64_t n = 0; n < Isa::kLanes; ++n) out[i * kPanelColumns + n] = rows[n * stride + i];
      }
    }
  }

  /// out[i] = elements k + i of kLanes weight rows from `row`
  void turn_pairs(int64_t row, int64_t k, int64_t count, float* out) const noexcept {
    const auto* const pairs = reinterpret_cast<const float*>(weight(row, k));
    for (int64_t i = 0; i < count; i += 2 * 4) {
      typename Isa::Vector turned[4];
      Isa::transpose4(pairs + i / 2, a_.weight_stride / 2, turned);
#pragma GCC unroll 4
      for (int pair = 0; pair < 4; ++pair) {
        Isa::store(out, Isa::widen_first_bf16(turned[pair]));
        Isa::store(out + kPanelColumns, Isa::widen_second_bf16(turned[pair]));
        out += 2 * kPanelColumns;
      }
    }
  }

  /// Fetches a panel's weights towards the second-level cache while another one is computed.
  void prefetch_panel(int64_t column, int64_t columns, int64_t k) const noexcept {
    constexpr int64_t kLine = 64 / sizeof(Stored);
    const int64_t rest = a_.depth - k * kWordElements;
    const int64_t count = rest < kPanelDepth * kWordElements ? rest : kPanelDepth * kWordElements;
    const int64_t end = column + columns < a_.columns ? column + columns : a_.columns;
    for (int64_t row = column; row < end; ++row) {
      const Stored* const first = weight(row, k);
      for (int64_t i = 0; i < count; i += kLine) __builtin_prefetch(first + i, 0, 2);
    }
  }

  /// Whether kLanes rows from `row`, up to word `end`, are aligned words at even distances.
  [[nodiscard]] bool can_read_words(int64_t row, int64_t end) const noexcept {
    return Weights::kIsDirect && row + Isa::kLanes <= a_.columns &&
           end * kWordElements <= a_.depth && a_.weight_stride % kWordElements == 0 &&
           reinterpret_cast<uintptr_t>(a_.weights) % sizeof(Word) == 0;
  }

  /// Whether `count` elements of kLanes rows are aligned pairs, four at a time.
  [[nodiscard]] bool can_read_pairs(int64_t row, int64_t k, int64_t count) const noexcept {
    return row + Isa::kLanes <= a_.columns && k % 2 == 0 && count % (2 * 4) == 0 &&
           a_.weight_stride % 2 == 0 && reinterpret_cast<uintptr_t>(a_.weights) % 4 == 0;
  }

  [[nodiscard]] const Stored* weight(int64_t row, int64_t k) const noexcept {
    return static_cast<const Stored*>(a_.weights) + row * a_.weight_stride + k * kWordElements;
  }

  /// Copies kLanes weight rows as Elements, widened or filled up with zeros. Rows beyond the last
  /// are copies of the last, and their results are not stored.
  void stage_rows(int64_t column, int64_t k, int64_t count) noexcept {
    const int64_t rest = a_.depth - k * kWordElements;
    const int64_t elements = count * kWordElements < rest ? count * kWordElements : rest;
    for (int64_t n = 0; n < Isa::kLanes; ++n) {
      const int64_t row = column + n < a_.columns ? column + n : a_.columns - 1;
      auto* const out = reinterpret_cast<Element*>(staged_ + n * kPanelDepth);
      Weights::copy(weight(row, k), elements, out);
      for (int64_t i = elements; i < count * kWordElements; ++i) out[i] = Element{};
    }
  }

  /// Rows [row, row + rows) of x times `vectors` <= kVectors vectors of the panel, to `out`, whose
  /// first row is row `row`.
  template <int kVectors>
  void multiply_panel(int64_t vectors, int64_t row, int64_t rows, int64_t k, int64_t count,
                      float* out, int64_t out_stride) const noexcept {
    if constexpr (kVectors > 1) {
      if (vectors < kVectors) {
        return multiply_panel<kVectors - 1>(vectors, row, rows, k, count, out, out_stride);
      }
    }
    const auto* const x = static_cast<const Element*>(a_.x) + row * a_.x_stride;
    outer_product<Isa, Products, kVectors>({.depth = count,
                                            .a = reinterpret_cast<const Word*>(x) + k,
                                            .a_stride = a_.x_stride / kWordElements,
                                            .b = panel_,
                                            .b_stride = kPanelColumns,
                                            .out = out,
                                            .out_stride = out_stride,
                                            .adds = k > 0},
                                           rows, 0);
  }

  /// A panel that is wider than what is left of `out`: by way of a tile of its own.
  void multiply_last_panel(int64_t column, int64_t k, int64_t count, int64_t vectors) noexcept {
    alignas(64) float tile[kRowBlock * kPanelColumns];
    const int64_t columns = a_.columns - column;
    for (int64_t row = 0; row < a_.rows; row += kRowBlock) {
      const int64_t rows = a_.rows - row < kRowBlock ? a_.rows - row : kRowBlock;
      float* const out = a_.out + row * a_.out_stride + column;
      for (int64_t m = 0; k > 0 && m < rows; ++m) {
        for (int64_t n = 0; n < columns; ++n) {
          tile[m * kPanelColumns + n] = out[m * a_.out_stride + n];
        }
      }
      multiply_panel<kPanelVectors>(vectors, row, rows, k, count, tile, kPanelColumns);
      for (int64_t m = 0; m < rows; ++m) {
        for (int64_t n = 0; n < columns; ++n) {
          out[m * a_.out_stride + n] = tile[m * kPanelColumns + n];
        }
      }
    }
  }

  const MatmulArguments& a_;
  int64_t words_;
  alignas(64) float panel_[kPanelDepth * kPanelColumns];
  alignas(64) float staged_[Isa::kLanes * kPanelDepth];
};

}  // namespace
}  // namespace aios
