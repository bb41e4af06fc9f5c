#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace aios {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The value of a finite f16 from its definition (IEEE 754-2019, 3.4), in double.
double f16_reference(uint16_t value) {
  const int exponent = (value >> 10U) & 0x1f;
  const int mantissa = value & 0x3ff;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (value & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// The nearest f16 of a finite non-negative float, ties to even: scaled to whole steps of the f16
/// grid and rounded there, in double, where all of this is exact.
uint16_t float_to_f16_reference(float value) {
  const int exponent = value == 0 ? -14 : std::max(std::ilogb(value), -14);
  const double steps = std::nearbyint(std::ldexp(static_cast<double>(value), 10 - exponent));
  // Steps beyond 1024 carry into the exponent by themselves.
  const double encoded = steps + 1024.0 * (exponent + 14);
  return encoded >= 0x7c00 ? uint16_t{0x7c00} : static_cast<uint16_t>(encoded);
}

TEST(DType, NamesAndSizes) {
  EXPECT_EQ(dtype_name(DType::kF32), "f32");
  EXPECT_EQ(dtype_size(DType::kF64), 8U);
  EXPECT_EQ(dtype_size(DType::kBF16), 2U);
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kF16, DType::kF64, DType::kI64,
                            DType::kI32, DType::kI16, DType::kI8, DType::kU8, DType::kBool}) {
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(dtype_from_name("f33"), std::nullopt);
}

TEST(Float16, AllValuesAreExact) {
  for (uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const auto value = static_cast<uint16_t>(bits);
    const float wide = f16_to_float(value);
    if ((bits & 0x7c00U) != 0x7c00U) {
      ASSERT_EQ(static_cast<double>(wide), f16_reference(value)) << bits;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000U) != 0) << bits;
    } else if ((bits & 0x3ffU) == 0) {
      ASSERT_EQ(wide, (bits & 0x8000U) != 0 ? -kInfinity : kInfinity);
    } else {
      ASSERT_TRUE(std::isnan(wide)) << bits;
    }
    ASSERT_EQ(float_to_f16(wide), value) << bits;
  }
}

TEST(Float16, RoundsToNearestEven) {
  const auto check = [](float value) {
    ASSERT_EQ(float_to_f16(value), float_to_f16_reference(value)) << value;
    ASSERT_EQ(float_to_f16(-value), float_to_f16_reference(value) | 0x8000U) << value;
  };
  // Both neighbours of every half-way point between two f16 values, and the point itself.
  for (uint16_t bits = 0; bits < 0x7bffU; ++bits) {
    const float half_way = (f16_to_float(bits) + f16_to_float(static_cast<uint16_t>(bits + 1))) / 2;
    check(half_way);
    check(std::nextafter(half_way, 0.0F));
    check(std::nextafter(half_way, kInfinity));
  }
  for (const float value : {65504.0F, 65519.996F, 65520.0F, 1e30F, 1e-30F, 0x1p-25F, 0x1.8p-24F}) {
    check(value);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()) & 0x7fffffffU);
    if (std::isfinite(value)) check(value);
  }
}

TEST(BFloat16, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const auto value = static_cast<uint16_t>(bits);
    const float wide = bf16_to_float(value);
    if (std::isnan(wide)) {
      ASSERT_TRUE(std::isnan(bf16_to_float(float_to_bf16(wide))));
    } else {
      ASSERT_EQ(float_to_bf16(wide), value);
    }
  }
  const float one_and_half_step = std::bit_cast<float>(0x3f808000U);  // between 0x3f80 and 0x3f81
  EXPECT_EQ(float_to_bf16(one_and_half_step), 0x3f80);
  EXPECT_EQ(float_to_bf16(std::nextafter(one_and_half_step, 2.0F)), 0x3f81);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);
  EXPECT_EQ(float_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
}

}  // namespace
}  // namespace aios
