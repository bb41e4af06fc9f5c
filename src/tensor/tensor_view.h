/// A named piece of read-only memory with a type and a shape, row major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/dtype.h"

namespace aios {

/// Shares ownership of the memory behind `data` (a mapping, a buffer); copies are cheap. Immutable
/// and safe to share between threads. An empty view (`!view`) stands for an absent tensor.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;
  std::size_t num_bytes = 0;
  std::shared_ptr<const void> owner;

  explicit operator bool() const noexcept { return data != nullptr; }
  [[nodiscard]] int64_t num_elements() const noexcept {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    return count;
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data), num_bytes / sizeof(T)};
  }
};

/// All elements of a floating-point view, widened to f32.
/// @throws FormatError for other types
[[nodiscard]] std::vector<float> to_floats(const TensorView& view);

}  // namespace aios
