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

TEST_F(WeightLoaderTest, AMissingShardIsNamed) {
  write("model.safetensors.index.json", R"({"weight_map":{"a":"s2.safetensors"}})");
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(folder_); }),
              HasSubstr("s2.safetensors"));
}

struct IndexCase {
  const char* name;
  std::string index;  // beside a shard s1.safetensors with the tensor `a`
  const char* message;
};

std::vector<IndexCase> index_cases() {
  return {
      {"TensorThatItsFileLacks", R"({"weight_map":{"a":"s1.safetensors","b":"s1.safetensors"}})",
       "names tensor 'b', which its file does not have"},
      {"ShardInTheFolderAbove", R"({"weight_map":{"a":"../s1.safetensors"}})",
       "tensor 'a' must be in a file of the same folder, not in \"../s1.safetensors\""},
      {"ShardOfAnAbsolutePath", R"({"weight_map":{"a":"/etc/passwd"}})", "file of the same folder"},
      {"ShardThatIsAFolder", R"({"weight_map":{"a":".."}})", "file of the same folder"},
      {"ShardWithANulInItsName", R"({"weight_map":{"a":"s1.safetensors\u0000x"}})",
       "file of the same folder"},
      {"ShardThatIsANumber", R"({"weight_map":{"a":1}})", "file of the same folder, not in 1"},
      {"IndexThatIsCutOff", "{", "is no JSON"},
      {"IndexThatIsAList", "[]", "has no weight_map from tensors to files"},
      {"IndexWithoutWeightMap", "{}", "has no weight_map"},
      {"WeightMapThatIsAList", R"({"weight_map":[]})", "has no weight_map"},
      {"WeightMapThatIsEmpty", R"({"weight_map":{}})", "has no weight_map"},
      {"TensorThatIsThereTwice", R"({"weight_map":{"a":"s1.safetensors","a":"s1.safetensors"}})",
       "has 'a' twice"},
      {"IndexThatNestsTooDeep", R"({"x":)" + std::string(100'000, '['),
       "nests too deep for an index"}};
}

class IndexErrorTest : public WeightLoaderTest, public ::testing::WithParamInterface<IndexCase> {};

TEST_P(IndexErrorTest, IsRefused) {
  write_shard("s1.safetensors", "a", 1);
  write("model.safetensors.index.json", GetParam().index);
  EXPECT_THAT(format_error(),
              AllOf(HasSubstr(GetParam().message), HasSubstr("model.safetensors.index.json")));
}

INSTANTIATE_TEST_SUITE_P(Index, IndexErrorTest, ::testing::ValuesIn(index_cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(WeightLoaderTest, SaysWhatAFolderWithoutWeightsLacks) {
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(folder_); }),
              AllOf(HasSubstr("has no weights"), HasSubstr("model.safetensors")));
}

TEST_F(WeightLoaderTest, AMissingFileIsNamed) {
  EXPECT_THAT(message_of<IoError>([&] { WeightLoader::open(path("absent.parquet")); }),
              HasSubstr("absent.parquet"));
}

TEST_F(WeightLoaderTest, RefusesFilesOfAnotherKind) {
  EXPECT_THAT(message_of<FormatError>([&] { WeightLoader::open(write("weights.bin", "x")); }),
              HasSubstr("is no weight file: expected .parquet, .safetensors or .index.json"));
}

}  // namespace
}  // namespace aios
