/// A named piece of read-only memory with a type and a shape, row major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/quantized_matrix.h"

namespace aios {

/// Shares ownership of the memory behind `data` (a mapping, a buffer); copies are cheap. Immutable
/// and safe to share between threads. An empty view (`!view`) stands for an absent tensor.
///
/// A quantised tensor is a matrix: `data` holds its codes, `blocks` and `scales` what else there is
/// in tensor/quantized_matrix.h; `dtype` is the type that its elements had before.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;
  std::size_t num_bytes = 0;
  std::shared_ptr<const void> owner;
  QuantizedFormat format{};  // of a quantised tensor, else kNone
  std::span<const std::byte> blocks{};
  std::span<const std::byte> scales{};

  explicit operator bool() const noexcept { return data != nullptr; }
  [[nodiscard]] int64_t num_elements() const noexcept {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    return count;
  }
  [[nodiscard]] bool is_quantized() const noexcept { return format.type != QuantType::kNone; }
  /// Of a quantised tensor, whose parts are complete and on their boundaries. Borrows.
  [[nodiscard]] QuantizedMatrix quantized_matrix() const noexcept {
    return {.format = format,
            .rows = shape[0],
            .depth = shape[1],
            .codes = reinterpret_cast<const uint8_t*>(data),
            .blocks = reinterpret_cast<const uint8_t*>(blocks.data()),
            .scales = reinterpret_cast<const uint16_t*>(scales.data())};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data), num_bytes / sizeof(T)};
  }
};

/// All elements of a floating-point view that is not quantised, widened to f32.
/// @throws FormatError for others
[[nodiscard]] std::vector<float> to_floats(const TensorView& view);

}  // namespace aios
