#include "storage/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/error.h"
#include "storage/safetensors_reader.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace storage_test;

using SafetensorsWriterTest = FolderTest;

TEST_F(SafetensorsWriterTest, RoundTripsAndAlignsEveryType) {
  const std::string file = path("model.safetensors");
  const std::vector<NamedTensor> tensors = {
      {"u8", tensor_of<uint8_t>(DType::kU8, {3}, {1, 2, 3})},
      {"bool", tensor_of<uint8_t>(DType::kBool, {1}, {1})},
      {"bf16", tensor_of<uint16_t>(DType::kBF16, {1, 3}, {1, 2, 3})},
      {"f16", tensor_of<uint16_t>(DType::kF16, {1}, {4})},
      {"i8", tensor_of<int8_t>(DType::kI8, {1}, {-1})},
      {"i16", tensor_of<int16_t>(DType::kI16, {1}, {-2})},
      {"i32", tensor_of<int32_t>(DType::kI32, {}, {-3})},
      {"i64", tensor_of<int64_t>(DType::kI64, {1}, {-4})},
      {"f64", tensor_of<double>(DType::kF64, {1}, {0.5})},
      {"f32", tensor_of<float>(DType::kF32, {2, 0}, {})},
      {"quote\"\xc3\xa9", tensor_of<float>(DType::kF32, {2}, {1, 2})}};
  write_safetensors(file, tensors);

  const SafetensorsReader reader(file);
  EXPECT_EQ(reader.format(), "safetensors");
  EXPECT_EQ(reader.tensors().size(), tensors.size());
  for (const auto& [name, written] : tensors) {
    const TensorView view = reader.tensor(name);
    ASSERT_TRUE(view) << name;
    EXPECT_EQ(view.dtype, written.dtype) << name;
    EXPECT_EQ(view.shape, written.shape) << name;
    EXPECT_TRUE(same_bytes(view, written)) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % dtype_size(view.dtype), 0U) << name;
  }
  EXPECT_THAT(files(), ElementsAre("model.safetensors"));
}

TEST_F(SafetensorsWriterTest, RefusesContradictions) {
  const TensorView one = tensor_of<float>(DType::kF32, {1}, {1});
  const std::vector<NamedTensor> twice = {{"a", one}, {"a", one}};
  EXPECT_THAT(message_of<FormatError>([&] { write_safetensors(path("m"), twice); }),
              HasSubstr("tensor 'a' is there twice"));
  TensorView short_one = one;
  short_one.num_bytes = 3;
  const std::vector<NamedTensor> lying = {{"a", short_one}};
  EXPECT_THAT(message_of<FormatError>([&] { write_safetensors(path("m"), lying); }),
              HasSubstr("tensor 'a' has 3 bytes"));
  EXPECT_THAT(files(), ElementsAre());
}

}  // namespace
}  // namespace aios
