#include "storage/parquet_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace storage_test;

using ParquetWriterTest = FolderTest;

TEST_F(ParquetWriterTest, RoundTripsEveryTypeAndShape) {
  const std::string file = path("weights.parquet");
  const std::vector<std::pair<std::string, TensorView>> tensors = {
      {"f32", tensor_of<float>(DType::kF32, {2, 3}, {1, -2, 3.5F, 0, 1e-30F, 7})},
      {"bf16", tensor_of<uint16_t>(DType::kBF16, {3}, {0x3f80, 0xc000, 1})},
      {"f16", tensor_of<uint16_t>(DType::kF16, {1, 1, 1}, {0x3c00})},
      {"f64", tensor_of<double>(DType::kF64, {2}, {0.1, -0.2})},
      {"i64 scalar", tensor_of<int64_t>(DType::kI64, {}, {-5})},
      {"i32", tensor_of<int32_t>(DType::kI32, {2}, {-5, 6})},
      {"i16", tensor_of<int16_t>(DType::kI16, {1}, {-5})},
      {"i8", tensor_of<int8_t>(DType::kI8, {5}, {-5, 4, 3, 2, 1})},
      {"u8", tensor_of<uint8_t>(DType::kU8, {7}, {1, 2, 3, 4, 5, 6, 7})},
      {"bool", tensor_of<uint8_t>(DType::kBool, {2}, {1, 0})},
      {"empty", tensor_of<float>(DType::kF32, {0, 4}, {})}};
  ParquetModelWriter writer(file);
  for (const auto& [name, tensor] : tensors) writer.add(name, tensor);
  writer.finish();

  const ParquetReader reader(file);
  EXPECT_EQ(reader.format(), "parquet_v2");
  ASSERT_EQ(reader.tensors().size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, written] = tensors[i];
    const TensorInfo& info = reader.tensors()[i];
    EXPECT_EQ(info.name, name);
    EXPECT_EQ(info.dtype, written.dtype);
    EXPECT_EQ(info.shape, written.shape);
    EXPECT_EQ(info.num_bytes, written.num_bytes);
    const TensorView view = reader.tensor(name);
    ASSERT_TRUE(view) << name;
    EXPECT_EQ(view.shape, written.shape);
    EXPECT_TRUE(same_bytes(view, written)) << name;
  }
  reader.verify();
}

TEST_F(ParquetWriterTest, EveryValueStartsOnAMultipleOf64) {
  const std::string file = path("weights.parquet");
  ParquetModelWriter writer(file);
  constexpr std::size_t kCount = 200;
  for (std::size_t i = 0; i < kCount; ++i) {  // checksums of other lengths, names of other lengths
    const auto bytes = pattern(1 + i * 7, static_cast<uint32_t>(i));
    writer.add(std::string(i % 40, 'x') + std::to_string(i),
               tensor_of<uint8_t>(DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes));
  }
  writer.finish();
  const ParquetReader reader(file);
  ASSERT_EQ(reader.tensors().size(), kCount);
  for (const TensorInfo& info : reader.tensors()) {
    const TensorView view = reader.tensor(info.name);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 64, 0U) << info.name;
  }
}

TEST_F(ParquetWriterTest, ShardsReadAsOneTensorMappedWithoutACopy) {
  const std::string file = path("weights.parquet");
  constexpr std::size_t kShard = quantization_schema::kShardAlignment;
  const auto bytes = pattern(2 * kShard + 1000, 1);
  const TensorView large =
      tensor_of<uint8_t>(DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes);
  ParquetModelWriter writer(file, kShard);
  writer.add("before", tensor_of<float>(DType::kF32, {1}, {1}));
  writer.add("large", large);
  writer.add("after", tensor_of<float>(DType::kF32, {1}, {2}));
  writer.finish();

  const ParquetReader reader(file);
  ASSERT_EQ(reader.tensors().size(), 3U);
  EXPECT_EQ(reader.tensors()[1].num_bytes, bytes.size());
  const TensorView view = reader.tensor("large");
  EXPECT_TRUE(same_bytes(view, large));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 4096, 0U);
  EXPECT_EQ(reader.tensor("after").as<float>()[0], 2.0F);
}

TEST_F(ParquetWriterTest, AWriterThatIsNotFinishedLeavesNothing) {
  {
    ParquetModelWriter writer(path("weights.parquet"));
    writer.add("a", tensor_of<float>(DType::kF32, {1}, {1}));
  }
  EXPECT_THAT(files(), ElementsAre());
}

class ParquetWriterErrorTest : public FolderTest {
 protected:
  /// The error of adding a second tensor, to a file that has `a` of one float.
  [[nodiscard]] std::string error_of(const std::string& name, std::vector<int64_t> shape) const {
    ParquetModelWriter writer(path("weights.parquet"));
    writer.add("a", tensor_of<float>(DType::kF32, {1}, {1}));
    return message_of<FormatError>(
        [&] { writer.add(name, tensor_of<float>(DType::kF32, std::move(shape), {1})); });
  }
};

TEST_F(ParquetWriterErrorTest, ATensorThatIsThereTwice) {
  EXPECT_THAT(error_of("a", {1}), HasSubstr("tensor 'a' is there twice"));
}

TEST_F(ParquetWriterErrorTest, BytesThatDoNotFitTheShape) {
  EXPECT_THAT(error_of("b", {2}),
              HasSubstr("tensor 'b' has 4 bytes where its shape and dtype need 8"));
}

TEST_F(ParquetWriterErrorTest, AnExtentOf2To31) {
  EXPECT_THAT(error_of("b", {int64_t{1} << 31, 0}),
              HasSubstr("tensor 'b' has the extent 2147483648; Parquet V2 holds up to 2^31 - 1"));
}

TEST_F(ParquetWriterErrorTest, AShapeOf17Extents) {
  EXPECT_THAT(error_of("b", std::vector<int64_t>(17, 1)), HasSubstr("more than 16 extents"));
}

TEST_F(ParquetWriterErrorTest, ANameOf5000Bytes) {
  EXPECT_THAT(error_of(std::string(5000, 'n'), {1}), HasSubstr("more than 4096 bytes"));
}

TEST_F(ParquetWriterErrorTest, ANameThatIsNotUtf8) {
  EXPECT_THAT(error_of("b\xff", {1}), HasSubstr("the name of a tensor is not UTF-8"));
}

TEST_F(ParquetWriterErrorTest, ShardsThatNoReaderCouldMap) {
  for (const std::size_t max_value_bytes : {std::size_t{0}, std::size_t{65537}, SIZE_MAX / 65536}) {
    EXPECT_THAT(message_of<ConfigError>(
                    [&] { ParquetModelWriter writer(path("weights.parquet"), max_value_bytes); }),
                HasSubstr("max_value_bytes must be a multiple of 65536"));
  }
}

}  // namespace
}  // namespace aios
