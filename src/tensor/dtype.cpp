#include "tensor/dtype.h"

namespace aios {
namespace {

struct DTypeRow {
  DType dtype;
  std::string_view name;
  std::size_t size;  // bytes
};

constexpr DTypeRow kDTypes[] = {
    {DType::kF32, "f32", 4},   {DType::kBF16, "bf16", 2}, {DType::kF16, "f16", 2},
    {DType::kF64, "f64", 8},   {DType::kI64, "i64", 8},   {DType::kI32, "i32", 4},
    {DType::kI16, "i16", 2},   {DType::kI8, "i8", 1},     {DType::kU8, "u8", 1},
    {DType::kBool, "bool", 1},
};

const DTypeRow& row_of(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)]; }

static_assert([] {
  std::size_t index = 0;
  for (const DTypeRow& row : kDTypes) {
    if (static_cast<std::size_t>(row.dtype) != index++) return false;
  }
  return true;
}());  // the table is in the order of the enumeration

}  // namespace

std::string_view dtype_name(DType dtype) noexcept { return row_of(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::size_t dtype_size(DType dtype) noexcept { return row_of(dtype).size; }

float f16_to_float(uint16_t value) noexcept {
  const uint32_t sign = (value & 0x8000U) << 16U;
  const uint32_t exponent = (value >> 10U) & 0x1fU;
  const uint32_t mantissa = value & 0x3ffU;
  if (exponent == 0) {  // zero or subnormal: a multiple of 2^-24, exact in f32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide_exponent = exponent == 0x1fU ? 0xffU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23U) | (mantissa << 13U));
}

uint16_t float_to_f16(float value) noexcept {
  constexpr uint32_t kInfinity = 0x7f800000U;
  constexpr uint32_t kOverflow = 0x477ff000U;        // 65520: half way from the largest f16 to 2^16
  constexpr uint32_t kSmallestNormal = 0x38800000U;  // 2^-14
  constexpr uint32_t kRebias = (127U - 15U) << 23U;

  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16U) & 0x8000U);
  const uint32_t magnitude = bits & 0x7fffffffU;
  uint32_t result = 0;
  if (magnitude > kInfinity) {
    const uint32_t payload = (magnitude >> 13U) & 0x3ffU;
    result = 0x7c00U | (payload == 0 ? 0x200U : payload);
  } else if (magnitude >= kOverflow) {
    result = 0x7c00U;
  } else if (magnitude < kSmallestNormal) {
    // Floats in [0.5, 1) are 2^-24 apart, as f16 subnormals are: the addition rounds for us.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    result = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5F);
  } else {
    result = (magnitude - kRebias + 0xfffU + ((magnitude >> 13U) & 1U)) >> 13U;
  }
  return static_cast<uint16_t>(sign | result);
}

}  // namespace aios
