#include "storage/parquet_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "aios/error.h"
#include "storage/parquet_test_support.h"
#include "storage/parquet_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using namespace storage_test;

using ParquetReaderTest = FolderTest;

std::vector<ModelRow> three_rows() {
  return {good_row("a", {1, 2, 3}), good_row("b", {4, 5}), good_row("c", {6})};
}

void expect_three(const WeightLoader& loader) {
  ASSERT_EQ(loader.tensors().size(), 3U);
  EXPECT_EQ(loader.tensors()[1].name, "b");
  EXPECT_EQ(loader.tensors()[1].dtype, DType::kF32);
  EXPECT_THAT(loader.tensors()[1].shape, ElementsAre(2));
  EXPECT_THAT(loader.tensor("c").as<float>(), ElementsAre(6));
  EXPECT_THAT(loader.tensor("b").as<float>(), ElementsAre(4, 5));
  EXPECT_THAT(loader.tensor("a").as<float>(), ElementsAre(1, 2, 3));
  loader.verify();
}

// tools/make_parquet_v1_fixture.py writes it with pyarrow: Snappy, dictionaries, two row groups.
TEST(ParquetV1FixtureTest, ReadsWhatPyarrowWrote) {
  const ParquetReader reader(AIOS_SOURCE_DIR "/tests/storage/data/v1.parquet");
  EXPECT_EQ(reader.format(), "parquet_v1");
  ASSERT_EQ(reader.tensors().size(), 5U);
  EXPECT_THAT(reader.tensor("embedding.weight").shape, ElementsAre(4, 3));
  const TensorView embedding = reader.tensor("embedding.weight");
  const auto floats = embedding.as<float>();
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(floats[i], static_cast<float>(i) / 8) << i;
  EXPECT_THAT(reader.tensor("norm.weight").as<uint16_t>(), ElementsAre(0x3f80, 0x4000));
  EXPECT_EQ(reader.tensor("norm.weight").dtype, DType::kBF16);
  EXPECT_THAT(reader.tensor("norm.bias").as<uint16_t>(), ElementsAre(0x3c00, 0xbc00));
  EXPECT_EQ(reader.tensor("norm.bias").dtype, DType::kF16);
  EXPECT_THAT(reader.tensor("position_ids").as<int64_t>(), ElementsAre(0, 1, 2));
  EXPECT_THAT(reader.tensor("scale").shape, ElementsAre());
  EXPECT_THAT(reader.tensor("scale").as<float>(), ElementsAre(0.5F));
  reader.verify();
}

TEST_F(ParquetReaderTest, ReadsEveryVersionEncodingAndGroupingToTheSameTensors) {
  for (const Version version : {Version::kV1, Version::kV2}) {
    for (const Encoding encoding : {Encoding::kPlain, Encoding::kCompressed}) {
      for (const int64_t rows_per_group : {1, 2, 3}) {
        const auto file = write_table(path("w.parquet"), *model_table(three_rows(), version),
                                      encoding, rows_per_group);
        const ParquetReader reader(file);
        EXPECT_EQ(reader.format(), version == Version::kV1 ? "parquet_v1" : "parquet_v2");
        expect_three(reader);
      }
    }
  }
}

TEST_F(ParquetReaderTest, ViewsPlainAlignedDataInTheMapping) {
  ParquetModelWriter writer(path("w.parquet"));
  writer.add("a", tensor_of<float>(DType::kF32, {3}, {1, 2, 3}));
  writer.finish();
  const TensorView view = ParquetReader(path("w.parquet")).tensor("a");
  EXPECT_TRUE(lies_in_mapping(view, path("w.parquet"))) << "and it outlives the reader";
  EXPECT_THAT(view.as<float>(), ElementsAre(1, 2, 3));
}

TEST_F(ParquetReaderTest, MapsShardsOfTheFileBehindEachOther) {
  constexpr std::size_t kShard = quantization_schema::kShardAlignment;
  ParquetModelWriter writer(path("w.parquet"), kShard);
  const auto bytes = pattern(3 * kShard, 5);
  writer.add("a", tensor_of<uint8_t>(DType::kU8, {3 * kShard}, bytes));
  writer.finish();
  const TensorView view = ParquetReader(path("w.parquet")).tensor("a");
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), view.as<uint8_t>().begin()));
  for (std::size_t shard = 0; shard < 3; ++shard) {
    TensorView part = view;
    part.data += shard * kShard;
    part.num_bytes = kShard;
    EXPECT_TRUE(lies_in_mapping(part, path("w.parquet"))) << shard;
  }
}

TEST_F(ParquetReaderTest, CopiesShardsThatLieOffTheirBoundary) {
  ModelRow first = good_row("a", {1, 2});
  ModelRow second = good_row("a", {3});
  for (ModelRow* row : {&first, &second}) {
    row->row.shape = {3};
    row->row.num_params = 3;
  }
  second.row.shard_index = 1;
  const auto file = write_table(path("w.parquet"), *model_table({first, second}, Version::kV2));
  EXPECT_THAT(ParquetReader(file).tensor("a").as<float>(), ElementsAre(1, 2, 3));
}

TEST_F(ParquetReaderTest, CopiesDataThatIsMisalignedForItsType) {
  for (std::size_t length = 1; length < 9; ++length) {  // the name before moves the data
    const auto file =
        write_table(path("w.parquet"),
                    *model_table({good_row(std::string(length, 'n'), {1, 2})}, Version::kV2));
    const TensorView view = ParquetReader(file).tensor(std::string(length, 'n'));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 4, 0U);
    EXPECT_THAT(view.as<float>(), ElementsAre(1, 2));
  }
}

TEST_F(ParquetReaderTest, ReadsTheSameWithoutItsDirectory) {
  ParquetModelWriter writer(path("w.parquet"));
  writer.add("a", tensor_of<float>(DType::kF32, {3}, {1, 2, 3}));
  writer.add("b", tensor_of<float>(DType::kF32, {2}, {4, 5}));
  writer.add("c", tensor_of<float>(DType::kF32, {1}, {6}));
  writer.finish();
  std::string bytes = read_file(path("w.parquet"));
  const std::size_t key = bytes.find(quantization_schema::kDirectoryKey);
  ASSERT_NE(key, std::string::npos);
  bytes[key] = 'x';
  expect_three(ParquetReader(write("other_key.parquet", bytes)));
  bytes[key] = 'a';
  const std::size_t offset = bytes.find("\"data_page_offset\":");
  bytes[offset + 19] = '9';  // no longer the footer's: the directory is of another file
  expect_three(ParquetReader(write("stale.parquet", bytes)));
}

TEST_F(ParquetReaderTest, IsSafeToShareBetweenThreads) {
  const auto file = write_table(path("w.parquet"), *model_table(three_rows(), Version::kV1),
                                Encoding::kCompressed);
  const ParquetReader reader(file);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        EXPECT_THAT(reader.tensor("a").as<float>(), ElementsAre(1, 2, 3));
        EXPECT_THAT(reader.tensor("c").as<float>(), ElementsAre(6));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace aios
