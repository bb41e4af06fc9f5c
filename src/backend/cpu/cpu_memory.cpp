#include "backend/cpu/cpu_memory.h"

#include <algorithm>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

std::string shape_text(int64_t rows, int64_t columns) {
  return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]";
}

/// Weights that kernels would read misaligned: only in files that do not follow their format's
/// alignment.
bool is_misaligned(const TensorView& view) noexcept {
  return reinterpret_cast<std::uintptr_t>(view.data) % dtype_size(view.dtype) != 0;
}

}  // namespace

CpuTensor::CpuTensor(const TensorView& view) {
  if (view.shape.size() == 1) {
    is_vector_ = true;
    floats_ = to_floats(view);
    columns_ = view.shape[0];
    data_ = reinterpret_cast<const std::byte*>(floats_.data());
    return;
  }
  const bool is_weight_type =
      view.dtype == DType::kF32 || view.dtype == DType::kBF16 || view.dtype == DType::kF16;
  if (view.shape.size() != 2 || !is_weight_type) {
    throw FormatError("a weight is " + std::string(dtype_name(view.dtype)) + " with " +
                      std::to_string(view.shape.size()) +
                      " dimensions: the CPU computes with f32, bf16 and f16 matrices and vectors");
  }
  dtype_ = view.dtype;
  rows_ = view.shape[0];
  columns_ = view.shape[1];
  data_ = view.data;
  owner_ = view.owner;
  if (view.is_quantized()) {
    quantized_ = view.quantized_matrix();
    return;
  }
  if (is_misaligned(view)) {
    auto copy = std::make_shared<AlignedBuffer<std::byte>>(view.num_bytes);
    std::copy_n(view.data, view.num_bytes, copy->data());
    data_ = copy->data();
    owner_ = std::move(copy);
  }
}

const CpuTensor& matrix_of(const DeviceTensorPtr& tensor, int64_t rows, int64_t columns,
                           const char* role) {
  const auto& matrix = static_cast<const CpuTensor&>(*tensor);
  if (matrix.rows() != rows || matrix.columns() != columns) {
    throw InferenceError(std::string(role) + " is " + shape_text(matrix.rows(), matrix.columns()) +
                         " where the model's configuration needs " + shape_text(rows, columns));
  }
  return matrix;
}

const float* vector_of(const DeviceTensorPtr& tensor, int64_t size, const char* role) {
  if (tensor == nullptr) return nullptr;
  const CpuTensor& vector = matrix_of(tensor, 1, size, role);
  if (!vector.is_vector()) {
    throw InferenceError(std::string(role) + " is a matrix where a vector is needed");
  }
  return static_cast<const float*>(vector.row(0));
}

}  // namespace aios
