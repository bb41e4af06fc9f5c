/// Quantised tensors of Parquet V2 files: what a row says of them, checked. Inside `storage` only.
///
/// docs/formats/parquet-v2.md is the specification; tensor/quantized_matrix.h has the places.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/quantization_schema.h"
#include "storage/weight_loader.h"

namespace aios {

/// The bytes of the three parts.
struct QuantizedSizes {
  std::size_t data = 0;
  std::size_t zero_points = 0;
  std::size_t scales = 0;
  [[nodiscard]] std::size_t total() const noexcept { return data + zero_points + scales; }
};

/// kNone for a row that is not quantised.
/// @param what names the tensor and its file in the message
/// @throws FormatError if this build cannot read the row's quantisation
[[nodiscard]] QuantizedFormat format_of(const quantization_schema::Row& row,
                                        const std::string& what);

/// @param shape two extents above 0, each below 2^31
[[nodiscard]] QuantizedSizes quantized_sizes(const QuantizedFormat& format,
                                             const std::vector<int64_t>& shape) noexcept;

/// @throws FormatError if a part is not as long as format and shape need
void check_part_sizes(const QuantizedFormat& format, const std::vector<int64_t>& shape,
                      std::size_t data_bytes, std::span<const std::byte> zero_points,
                      std::span<const std::byte> scales, const std::string& what);

/// The quantised tensor whose codes are `codes.data`. Parts off their boundary of 64 bytes are
/// copied.
/// @param owner keeps zero points and scales alive
/// @throws FormatError if a part has another length than its shape needs, or a scale is no finite
/// number above 0
[[nodiscard]] TensorView make_quantized_view(const QuantizedFormat& format, const TensorView& codes,
                                             std::span<const std::byte> zero_points,
                                             std::span<const std::byte> scales,
                                             std::shared_ptr<const void> owner,
                                             const std::string& what);

}  // namespace aios
