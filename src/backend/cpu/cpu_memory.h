/// Tensors and buffers of the CPU backend.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/buffer_pool.h"
#include "base/aligned_buffer.h"
#include "tensor/tensor_view.h"

namespace aios {

/// A matrix as it is stored (f32, bf16, f16 or quantised), or a vector in f32.
class CpuTensor final : public DeviceTensor {
 public:
  /// Borrows a matrix; copies a vector, or a matrix whose elements are not aligned.
  /// @throws FormatError if the view is no f32, bf16, f16 or quantised matrix, nor a floating-point
  /// vector
  explicit CpuTensor(const TensorView& view);

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] int64_t columns() const noexcept { return columns_; }
  [[nodiscard]] bool is_quantized() const noexcept {
    return quantized_.format.type != QuantType::kNone;
  }
  [[nodiscard]] const QuantizedMatrix& quantized() const noexcept { return quantized_; }
  /// Of a tensor that is not quantised.
  [[nodiscard]] const void* row(int64_t index) const noexcept {
    return data_ + static_cast<std::size_t>(index * columns_) * dtype_size(dtype_);
  }
  [[nodiscard]] bool is_vector() const noexcept { return is_vector_; }

 private:
  DType dtype_ = DType::kF32;
  bool is_vector_ = false;
  int64_t rows_ = 1;
  int64_t columns_ = 0;
  const std::byte* data_ = nullptr;
  QuantizedMatrix quantized_;          // if it is quantised
  std::vector<float> floats_;          // a vector's elements
  std::shared_ptr<const void> owner_;  // of a matrix
};

/// The matrix behind `tensor`. @throws InferenceError unless it is [rows, columns]
const CpuTensor& matrix_of(const DeviceTensorPtr& tensor, int64_t rows, int64_t columns,
                           const char* role);

/// The vector behind `tensor`, or null for none. @throws InferenceError unless it has `size`
const float* vector_of(const DeviceTensorPtr& tensor, int64_t size, const char* role);

class CpuBuffer final : public Buffer {
 public:
  CpuBuffer(int64_t rows, int64_t columns, std::shared_ptr<BufferPool> pool)
      : Buffer(rows, columns),
        pool_(std::move(pool)),
        memory_(pool_->take(static_cast<std::size_t>(rows * columns))) {}
  ~CpuBuffer() override { pool_->give_back(std::move(memory_)); }
  CpuBuffer(const CpuBuffer&) = delete;
  CpuBuffer& operator=(const CpuBuffer&) = delete;
  [[nodiscard]] float* row(int64_t index) noexcept { return memory_.data() + index * columns(); }
  [[nodiscard]] const float* row(int64_t index) const noexcept {
    return memory_.data() + index * columns();
  }

 private:
  std::shared_ptr<BufferPool> pool_;
  AlignedBuffer<float> memory_;
};

inline CpuBuffer& cpu(Buffer& buffer) noexcept { return static_cast<CpuBuffer&>(buffer); }
inline const CpuBuffer& cpu(const Buffer& buffer) noexcept {
  return static_cast<const CpuBuffer&>(buffer);
}

}  // namespace aios
