#include "storage/weight_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/error.h"
#include "storage/parquet_writer.h"
#include "storage/safetensors_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace storage_test;

class WeightLoaderTest : public FolderTest {
 protected:
  static TensorView scalar(float value) { return tensor_of<float>(DType::kF32, {}, {value}); }
  void write_parquet(const std::string& file, const std::string& tensor, float value) const {
    ParquetModelWriter writer(path(file));
    writer.add(tensor, scalar(value));
    writer.finish();
  }
  void write_shard(const std::string& file, const std::string& tensor, float value) const {
    const std::vector<NamedTensor> tensors = {{tensor, scalar(value)}};
    write_safetensors(path(file), tensors);
  }
  [[nodiscard]] std::string format_error() const {
    return message_of<FormatError>([&] { WeightLoader::open(folder_); });
  }
  /// The error of an index of this text, beside a shard `s1.safetensors` with tensor `a`.
  [[nodiscard]] std::string index_error(const std::string& index) const {
    write_shard("s1.safetensors", "a", 1);
    write("model.safetensors.index.json", index);
    return format_error();
  }
};

TEST_F(WeightLoaderTest, PrefersParquetAndOpensEachKindByItsPath) {
  write_shard("model.safetensors", "a", 1);
  EXPECT_EQ(WeightLoader::open(folder_)->format(), "safetensors");
  write_parquet("weights-00001-of-00001.parquet", "a", 2);
  EXPECT_EQ(WeightLoader::open(folder_)->tensor("a").as<float>()[0], 2);
  write_parquet("weights.parquet", "a", 3);
  EXPECT_EQ(WeightLoader::open(folder_)->tensor("a").as<float>()[0], 3);
  EXPECT_EQ(WeightLoader::open(path("model.safetensors"))->tensor("a").as<float>()[0], 1);
  EXPECT_EQ(WeightLoader::open(path("weights.parquet"))->format(), "parquet_v2");
}

TEST_F(WeightLoaderTest, ReadsSeveralParquetFilesAsOne) {
  write_parquet("weights-00001-of-00002.parquet", "a", 1);
  write_parquet("weights-00002-of-00002.parquet", "b", 2);
  const auto loader = WeightLoader::open(folder_);
  EXPECT_EQ(loader->format(), "parquet_v2");
  ASSERT_THAT(loader->tensors(), SizeIs(2));
  EXPECT_EQ(loader->tensors()[1].name, "b");
  EXPECT_TRUE(loader->contains("a"));
  EXPECT_EQ(loader->tensor("b").as<float>()[0], 2);
  loader->verify();
}

TEST_F(WeightLoaderTest, AMissingParquetFileIsNamed) {
  write_parquet("weights-00001-of-00003.parquet", "a", 1);
  write_parquet("weights-00003-of-00003.parquet", "b", 2);
  EXPECT_THAT(format_error(), HasSubstr("lacks weights-00002-of-00003.parquet"));
}

TEST_F(WeightLoaderTest, RefusesParquetFilesOfTwoSets) {
  write_parquet("weights-00001-of-00001.parquet", "a", 1);
  write_parquet("weights-00001-of-00002.parquet", "b", 2);
  EXPECT_THAT(format_error(), HasSubstr("mixes weights of 00001 and of 00002 files"));
}

TEST_F(WeightLoaderTest, RefusesATensorInTwoParquetFiles) {
  write_parquet("weights-00001-of-00002.parquet", "a", 1);
  write_parquet("weights-00002-of-00002.parquet", "a", 2);
  EXPECT_THAT(format_error(), HasSubstr("tensor 'a' is there twice"));
}

TEST_F(WeightLoaderTest, RefusesASetOfNoFiles) {
  write_parquet("weights-00000-of-00000.parquet", "a", 1);
  EXPECT_THAT(format_error(), HasSubstr("weights of 00000 files"));
}

TEST_F(WeightLoaderTest, ReadsTheShardsOfAnIndex) {
  write_shard("s1.safetensors", "a", 1);
  write_shard("s2.safetensors", "b", 2);
  write("model.safetensors.index.json",
        R"({"metadata":{"total_size":8},)"
        R"("weight_map":{"b":"s2.safetensors","a":"s1.safetensors"}})");
  const auto loader = WeightLoader::open(folder_);
  EXPECT_EQ(loader->format(), "safetensors");
  EXPECT_THAT(loader->tensors(), SizeIs(2));
  EXPECT_EQ(loader->tensor("a").as<float>()[0], 1);
  EXPECT_EQ(loader->tensor("b").as<float>()[0], 2);
  EXPECT_THAT(message_of<FormatError>([&] { (void)loader->tensor("c"); }),
              HasSubstr("has no tensor 'c'"));
}

TEST_F(WeightLoaderTest, TheIndexSaysWhichOfTwoTensorsCounts) {
  write_shard("s1.safetensors", "a", 1);
  const std::vector<NamedTensor> two = {{"a", scalar(7)}, {"b", scalar(2)}};
  write_safetensors(path("s2.safetensors"), two);
  write("model.safetensors.index.json",
        R"({"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}})");
  EXPECT_EQ(WeightLoader::open(folder_)->tensor("a").as<float>()[0], 1);
}

TEST_F(WeightLoaderTest, AnIndexThatNamesAMissingTensorIsRefused) {
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"s1.safetensors","b":"s1.safetensors"}})"),
              HasSubstr("names tensor 'b', which its file does not have"));
}

TEST_F(WeightLoaderTest, AMissingShardIsNamed) {
  write("model.safetensors.index.json", R"({"weight_map":{"a":"s2.safetensors"}})");
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(folder_); }),
              HasSubstr("s2.safetensors"));
}

TEST_F(WeightLoaderTest, AnIndexMustNotLeaveItsFolder) {
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"../s1.safetensors"}})"),
              HasSubstr("file of the same folder"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"/etc/passwd"}})"),
              HasSubstr("file of the same folder"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":".."}})"), HasSubstr("file of the same folder"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"s1.safetensors\u0000x"}})"),
              HasSubstr("file of the same folder"));
}

TEST_F(WeightLoaderTest, RefusesMalformedIndexes) {
  EXPECT_THAT(index_error("{"), HasSubstr("no JSON"));
  EXPECT_THAT(index_error("[]"), HasSubstr("no weight_map"));
  EXPECT_THAT(index_error("{}"), HasSubstr("no weight_map"));
  EXPECT_THAT(index_error(R"({"weight_map":[]})"), HasSubstr("no weight_map"));
  EXPECT_THAT(index_error(R"({"weight_map":{}})"), HasSubstr("no weight_map"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":1}})"), HasSubstr("not in 1"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"s1.safetensors","a":"s1.safetensors"}})"),
              HasSubstr("'a' twice"));
  EXPECT_THAT(index_error(R"({"x":)" + std::string(100'000, '[')), HasSubstr("nests too deep"));
}

TEST_F(WeightLoaderTest, SaysWhatAFolderWithoutWeightsLacks) {
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(folder_); }),
              AllOf(HasSubstr("has no weights"), HasSubstr("model.safetensors")));
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(path("absent.parquet")); }),
              HasSubstr("absent.parquet"));
  EXPECT_THAT(message_of<FormatError>([&] { WeightLoader::open(write("weights.bin", "x")); }),
              HasSubstr("is no weight file"));
}

}  // namespace
}  // namespace aios
