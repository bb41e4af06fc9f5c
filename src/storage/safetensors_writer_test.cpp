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

class SafetensorsWriterErrorTest : public FolderTest {
 protected:
  [[nodiscard]] std::string error_of(const std::vector<NamedTensor>& tensors) const {
    const std::string message =
        message_of<FormatError>([&] { write_safetensors(path("m"), tensors); });
    EXPECT_THAT(files(), ElementsAre());
    return message;
  }
  const TensorView one_ = tensor_of<float>(DType::kF32, {1}, {1});
};

TEST_F(SafetensorsWriterErrorTest, ATensorThatIsThereTwice) {
  EXPECT_THAT(error_of({{"a", one_}, {"a", one_}}), HasSubstr("tensor 'a' is there twice"));
}

TEST_F(SafetensorsWriterErrorTest, BytesThatDoNotFitTheShape) {
  TensorView cut = one_;
  cut.num_bytes = 3;
  EXPECT_THAT(error_of({{"a", cut}}), HasSubstr("tensor 'a' has 3 bytes"));
}

TEST_F(SafetensorsWriterErrorTest, ANameThatIsNotUtf8) {
  EXPECT_THAT(error_of({{"a\xff", one_}}), HasSubstr("the name of a tensor is not UTF-8"));
}

}  // namespace
}  // namespace aios
