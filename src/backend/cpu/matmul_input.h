/// The rows that enter a matmul, in the forms that its weights read.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cpu/scratch.h"
#include "base/thread_pool.h"
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

  /// Row `row` becomes `values`, [depth].
  void store_row(int64_t row, const float* values) noexcept;
  /// Row `row`, columns [column, column + size) become `values`. `column` is even, and so is `size`
  /// but at the end of a row. `complete` must follow.
  void store(int64_t row, int64_t column, const float* values, int64_t size) noexcept;
  /// After all parts were stored: rounds the rows to 8 bits, which needs them whole.
  void complete(ThreadPool& pool) noexcept;

  [[nodiscard]] int64_t depth() const noexcept { return depth_; }
  /// Rows that one thread should store together: they share lines of memory.
  [[nodiscard]] int64_t row_unit() const noexcept {
    return std::max(kernels_->bf16_row_group, forms_.int8 ? kBlockRows : 1);
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
  /// Sets x, x_scales, x_sums and sums_stride. @param row a multiple of kBlockRows
  void set_int8_rows(int64_t row, QuantizedMatmulArguments& arguments) const noexcept;

 private:
  [[nodiscard]] int64_t bf16_offset_of(int64_t row, int64_t column) const noexcept {
    return bf16_offset(row, column, stride(), kernels_->bf16_row_group);
  }
  [[nodiscard]] int64_t sums_stride() const noexcept {
    return QuantizedFormat::padded(depth_) / kDepthUnit + 1;
  }
  void quantize_row(int64_t row, const float* values) noexcept;

  const Kernels* kernels_ = nullptr;
  MatmulForms forms_;
  int64_t rows_ = 0;
  int64_t depth_ = 0;
  GrowingBuffer<float> f32_;
  GrowingBuffer<uint16_t> bf16_;
  GrowingBuffer<int8_t> int8_;
  GrowingBuffer<float> scales_;
  GrowingBuffer<int32_t> sums_;
};

}  // namespace aios
