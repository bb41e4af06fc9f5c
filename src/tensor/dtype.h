/// Element types of stored tensors.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aios {

enum class DType : uint8_t { kF32, kBF16, kF16, kF64, kI64, kI32, kI16, kI8, kU8, kBool };

/// The name used in Parquet V1/V2 files and on the command line: `f32`, `bf16`, ...
[[nodiscard]] std::string_view dtype_name(DType dtype) noexcept;
[[nodiscard]] std::optional<DType> dtype_from_name(std::string_view name) noexcept;
[[nodiscard]] std::size_t dtype_size(DType dtype) noexcept;  ///< bytes per element

/// bfloat16 is the upper half of a float. Rounds to nearest even; NaN stays NaN.
[[nodiscard]] inline uint16_t float_to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}
[[nodiscard]] inline float bf16_to_float(uint16_t value) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16U);
}
/// IEEE binary16, subnormals included, round to nearest even.
[[nodiscard]] float f16_to_float(uint16_t value) noexcept;
[[nodiscard]] uint16_t float_to_f16(float value) noexcept;

}  // namespace aios
