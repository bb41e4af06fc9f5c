#include "tensor/tensor_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

using ::testing::ElementsAre;

/// A view of `values`, one byte off any alignment, as tensors in safetensors files may be.
template <typename T>
TensorView unaligned_view(DType dtype, const std::vector<T>& values) {
  auto bytes = std::make_shared<std::vector<std::byte>>(1 + values.size() * sizeof(T));
  std::memcpy(bytes->data() + 1, values.data(), values.size() * sizeof(T));
  return {dtype,
          {static_cast<int64_t>(values.size())},
          bytes->data() + 1,
          values.size() * sizeof(T),
          bytes};
}

TEST(TensorView, CountsElements) {
  TensorView view;
  EXPECT_FALSE(view);
  EXPECT_EQ(view.num_elements(), 1);  // a scalar
  view.shape = {3, 0, 2};
  EXPECT_EQ(view.num_elements(), 0);
  view.shape = {3, 4};
  EXPECT_EQ(view.num_elements(), 12);
}

TEST(ToFloats, WidensEveryFloatType) {
  EXPECT_THAT(to_floats(unaligned_view<float>(DType::kF32, {1.5F, -2.0F})),
              ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(to_floats(unaligned_view<double>(DType::kF64, {0.25, 1e-3})),
              ElementsAre(0.25F, 1e-3F));
  EXPECT_THAT(to_floats(unaligned_view<uint16_t>(DType::kBF16, {0x3fc0, 0xc000})),
              ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(to_floats(unaligned_view<uint16_t>(DType::kF16, {0x3e00, 0xc000})),
              ElementsAre(1.5F, -2.0F));
}

TEST(ToFloats, RefusesIntegers) {
  try {
    static_cast<void>(to_floats(unaligned_view<int32_t>(DType::kI32, {1})));
    ADD_FAILURE() << "i32 was accepted";
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("i32"));
  }
}

}  // namespace
}  // namespace aios
