/// Writes safetensors files (format: storage/safetensors_header.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "tensor/tensor_view.h"

namespace aios {

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

/// Writes all tensors in one step (storage/atomic_file.h). Wider types come first, so that each
/// tensor is aligned for its type, and the data starts on a multiple of 64; `__metadata__` is
/// `{"format": "pt"}`, without which transformers refuses a file.
/// @param on_written called with the bytes of tensors written so far; may throw to give up
/// @throws FormatError if a name is there twice or is not UTF-8, or bytes do not fit a shape;
/// IoError
void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::function<void(int64_t)>& on_written = {});

}  // namespace aios
