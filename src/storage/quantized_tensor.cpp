#include "storage/quantized_tensor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "base/aligned_buffer.h"

namespace aios {
namespace {

namespace schema = quantization_schema;

void check_size(std::size_t found, std::size_t size, std::string_view name,
                const std::string& what) {
  if (found == size) return;
  throw FormatError(what + " has " + std::to_string(found) + " bytes of " + std::string(name) +
                    " where its shape and quant_type need " + std::to_string(size));
}

void check_scales(std::span<const std::byte> scales, const std::string& what) {
  for (std::size_t i = 0; i < scales.size(); i += sizeof(uint16_t)) {
    uint16_t scale = 0;
    std::memcpy(&scale, scales.data() + i, sizeof scale);
    if (is_valid_scale(scale)) continue;
    throw FormatError(what + ": scale " + std::to_string(i / sizeof scale) + " is " +
                      std::to_string(f16_to_float(scale)) +
                      "; scales are finite and above 0: the file is damaged, convert the model "
                      "again");
  }
}

/// Keeps copies beside the owners of what needed none.
struct Parts {
  std::array<std::shared_ptr<const void>, 2> owners;
  std::vector<AlignedBuffer<std::byte>> copies;

  std::span<const std::byte> aligned(std::span<const std::byte> part) {
    if (reinterpret_cast<std::uintptr_t>(part.data()) % schema::kValueAlignment == 0) return part;
    AlignedBuffer<std::byte>& copy = copies.emplace_back(part.size());
    std::copy(part.begin(), part.end(), copy.data());
    return copy.span();
  }
};

}  // namespace

QuantizedFormat format_of(const schema::Row& row, const std::string& what) {
  const auto type = quant_type_from_name(row.quant_type);
  if (!type) {
    throw FormatError(what + " has quant_type '" + row.quant_type +
                      "', which this build does not know; update it, or convert the model again");
  }
  const std::string_view layout = *type == QuantType::kNone ? schema::kRowMajor : schema::kPanel32;
  if (row.layout != layout) {
    throw FormatError(what + " has layout '" + row.layout +
                      "', which this build does not know for quant_type '" + row.quant_type +
                      "'; update it, or convert the model again");
  }
  if (*type == QuantType::kNone) return {};
  const QuantizedFormat format{*type, row.group_size};
  if (!format.has_valid_group_size()) {
    throw FormatError(what + " has group_size " + std::to_string(row.group_size) +
                      "; it is 32, 64, 128, or 0 for whole rows");
  }
  if (row.shape.size() != 2 || std::ranges::any_of(row.shape, [](int64_t n) { return n <= 0; })) {
    throw FormatError(what + " is quantised, but no matrix with rows and columns");
  }
  if (row.quant_axis != 1) {
    throw FormatError(what + " has quant_axis " + std::to_string(row.quant_axis) +
                      "; groups run along axis 1");
  }
  return format;
}

QuantizedSizes quantized_sizes(const QuantizedFormat& format,
                               const std::vector<int64_t>& shape) noexcept {
  const auto size = [](int64_t bytes) { return static_cast<std::size_t>(bytes); };
  return {.data = size(format.code_bytes(shape[0], shape[1])),
          .zero_points = size(format.block_bytes(shape[0], shape[1])),
          .scales = size(format.scale_bytes(shape[0], shape[1]))};
}

void check_part_sizes(const QuantizedFormat& format, const std::vector<int64_t>& shape,
                      std::size_t data_bytes, std::span<const std::byte> zero_points,
                      std::span<const std::byte> scales, const std::string& what) {
  const QuantizedSizes sizes = quantized_sizes(format, shape);
  check_size(data_bytes, sizes.data, schema::kData, what);
  check_size(zero_points.size(), sizes.zero_points, schema::kZeroPoints, what);
  check_size(scales.size(), sizes.scales, schema::kScales, what);
}

TensorView make_quantized_view(const QuantizedFormat& format, const TensorView& codes,
                               std::span<const std::byte> zero_points,
                               std::span<const std::byte> scales, std::shared_ptr<const void> owner,
                               const std::string& what) {
  check_part_sizes(format, codes.shape, codes.num_bytes, zero_points, scales, what);
  check_scales(scales, what);
  auto parts = std::make_shared<Parts>();
  parts->owners = {codes.owner, std::move(owner)};
  TensorView view = codes;
  view.format = format;
  view.data = parts->aligned({codes.data, codes.num_bytes}).data();
  view.blocks = parts->aligned(zero_points);
  view.scales = parts->aligned(scales);
  view.owner = std::move(parts);
  return view;
}

}  // namespace aios
