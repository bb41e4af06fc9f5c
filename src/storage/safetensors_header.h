/// The header of a safetensors file, read strictly.
///
/// Format: 8 bytes little-endian header length N, N bytes of JSON (an object of
/// `name: {"dtype", "shape", "data_offsets": [begin, end]}` and an optional `__metadata__` of
/// strings; may end in spaces), then the data that the offsets count from. The data is covered
/// exactly, without holes or overlaps. Source: huggingface/safetensors, README "Format" and
/// safetensors/src/tensor.rs (`Metadata::validate`).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "storage/weight_loader.h"

namespace aios {

struct SafetensorsEntry {
  TensorInfo info;
  std::size_t begin = 0;  ///< offset of the tensor's first byte in the file
};

/// Largest header that a reader accepts (the reference implementation's limit).
inline constexpr std::size_t kMaxSafetensorsHeaderBytes = 100'000'000;

/// The entries in the order of their data.
/// @param path for messages
/// @throws FormatError if anything departs from the format, or a dtype is not one of ours
[[nodiscard]] std::vector<SafetensorsEntry> parse_safetensors_header(
    std::span<const std::byte> file, const std::string& path);

/// The format's name of a type: `F32`, `BF16`, ...
[[nodiscard]] std::string_view safetensors_dtype_name(DType dtype) noexcept;

}  // namespace aios
