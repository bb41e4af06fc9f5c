/// The rows that enter a matmul, in the forms that its weights read.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cpu/parallel.h"
#include "backend/cpu/scratch.h"
#include "kernels/kernels.h"

namespace aios {

struct MatmulForms {
  bool f32 = false;
  bool bf16 = false;
  bool int8 = false;  // with scales (kernels/quantized_matmul.h)
  MatmulForms& operator|=(MatmulForms other) noexcept {
    f32 |= other.f32;
    bf16 |= other.bf16;
    int8 |= other.int8;
    return *this;
  }
};

/// [rows, depth] in any of the forms, each row padded with zeros as the kernels want it. Different
/// parts of it may be stored from several threads at once.
class MatmulInput {
 public:
  /// Makes room for rows whose elements are then stored.
  void reset(const Kernels& kernels, MatmulForms forms, int64_t rows, int64_t depth);

  /// The tile becomes `values`, whose rows lie `values_stride` apart. Its columns begin and end at
  /// multiples of `column_unit`, or at the end of a row.
  void store(const Tile& tile, const float* values, int64_t values_stride) noexcept;

  [[nodiscard]] int64_t depth() const noexcept { return depth_; }
  /// Columns that are stored together: a stretch of codes, which has one scale, or some lines.
  [[nodiscard]] int64_t column_unit() const noexcept { return forms_.int8 ? kMaxGroup : 64; }
  /// Rows that are stored together fastest: a group of `bf16_offset`, a block of codes.
  [[nodiscard]] int64_t row_group() const noexcept {
    return std::max(forms_.bf16 ? kernels_->bf16_row_group : 1,
                    forms_.int8 ? kernels_->quantized_layout.row_group() : 1);
  }
  /// Rows that one thread should store: they share lines of memory.
  [[nodiscard]] int64_t row_unit() const noexcept {
    return std::max(row_group(), forms_.int8 ? kernels_->quantized_layout.block_rows : 1);
  }
  /// An odd multiple of 32 elements: rows a power of two apart would share a few cache sets.
  [[nodiscard]] int64_t stride() const noexcept { return padded_depth(depth_) | kDepthAlignment; }
  [[nodiscard]] const float* f32_row(int64_t row) const noexcept {
    return f32_.data() + row * stride();
  }
  /// @param row the first of a group (Kernels::bf16_row_group)
  [[nodiscard]] const uint16_t* bf16_row(int64_t row) const noexcept {
    return bf16_.data() + row * stride();
  }
  /// Sets what concerns x. @param row the first of a block (QuantizedLayout)
  void set_int8_rows(int64_t row, QuantizedMatmulArguments& arguments) const noexcept;

 private:
  [[nodiscard]] int64_t bf16_offset_of(int64_t row, int64_t column) const noexcept {
    return bf16_offset(row, column, stride(), kernels_->bf16_row_group);
  }
  void narrow(const Tile& tile, const float* values, int64_t values_stride) noexcept;
  /// The tile begins at a multiple of kMaxGroup columns.
  void quantize(const Tile& tile, const float* values, int64_t values_stride) noexcept;

  const Kernels* kernels_ = nullptr;
  MatmulForms forms_;
  int64_t rows_ = 0;
  int64_t depth_ = 0;
  GrowingBuffer<float> f32_;
  GrowingBuffer<uint16_t> bf16_;
  GrowingBuffer<int8_t> int8_;
  GrowingBuffer<float> scales_;
  GrowingBuffer<int32_t> starts_;
};

/// Stores all rows, a group at a time: `make(begin, end, scratch)` gives the values of these rows,
/// one row behind the other, where they lie or in scratch memory for them. Uses the slots.
template <typename Make>
void store_rows(ThreadPool& pool, int64_t num_rows, SlotMemory& slots, MatmulInput& input,
                const Make& make) {
  const int64_t size = input.depth();
  const int64_t group = input.row_group();
  slots.reserve(pool.num_threads(), group * size);
  for_each_stretch(
      pool, num_rows, size, input.row_unit(), [&](int64_t begin, int64_t end, int64_t slot) {
        for (int64_t row = begin; row < end; row += group) {
          const int64_t group_end = std::min(end, row + group);
          input.store({row, group_end, 0, size}, make(row, group_end, slots.slot(slot)), size);
        }
      });
}

}  // namespace aios
