#include "storage/safetensors_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "aios/error.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace storage_test;

class SafetensorsReaderTest : public FolderTest {
 protected:
  /// A file of this header and `data_size` bytes 0, 1, 2, ...
  std::string file(const std::string& header, std::size_t data_size) const {
    return write("m.safetensors", safetensors_bytes(header, data_size));
  }
};

constexpr auto kTwo = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";

TEST_F(SafetensorsReaderTest, ViewsTensorsWithinTheFile) {
  const SafetensorsReader reader(file(kTwo, 11));
  ASSERT_EQ(reader.tensors().size(), 2U);
  EXPECT_EQ(reader.tensors()[0].name, "a");
  EXPECT_EQ(reader.tensors()[1].shape, std::vector<int64_t>{3});
  EXPECT_TRUE(reader.contains("b"));
  EXPECT_FALSE(reader.contains("c"));
  EXPECT_EQ(reader.tensor("b").as<uint8_t>()[2], 10);
  reader.verify();
}

TEST_F(SafetensorsReaderTest, CopiesOnlyWhatIsMisaligned) {
  std::string header = kTwo;
  while (header.size() % 8 != 3) header += ' ';  // the format allows spaces at the end
  const std::string name = file(header, 11);
  const SafetensorsReader reader(name);
  const TensorView a = reader.tensor("a");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data) % 4, 0U);
  EXPECT_EQ(static_cast<int>(a.data[5]), 5);
  const TensorView first = reader.tensor("b");
  const TensorView second = reader.tensor("b");
  EXPECT_EQ(first.data, second.data) << "bytes have no alignment to miss: both view the mapping";
}

TEST_F(SafetensorsReaderTest, ViewsOutliveTheReader) {
  TensorView view;
  {
    const SafetensorsReader reader(file(kTwo, 11));
    view = reader.tensor("b");
  }
  EXPECT_EQ(view.as<uint8_t>()[0], 8);
}

TEST_F(SafetensorsReaderTest, ReadsMetadataEmptyTensorsAndEmptyFiles) {
  const SafetensorsReader reader(file(R"({"__metadata__":{"format":"pt","k":"v"},)"
                                      R"("e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},)"
                                      R"("s":{"dtype":"I32","shape":[],"data_offsets":[0,4]}})",
                                      4));
  EXPECT_EQ(reader.tensors().size(), 2U);
  EXPECT_TRUE(reader.tensor("e"));
  EXPECT_EQ(reader.tensor("e").num_bytes, 0U);
  EXPECT_EQ(reader.tensor("s").num_elements(), 1);
  EXPECT_THAT(SafetensorsReader(file("{}", 0)).tensors(), IsEmpty());
}

TEST_F(SafetensorsReaderTest, IsSafeToShareBetweenThreads) {
  const SafetensorsReader reader(file(kTwo, 11));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) EXPECT_EQ(reader.tensor("b").as<uint8_t>()[0], 8);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SafetensorsReaderTest, AMissingTensorIsNamed) {
  const SafetensorsReader reader(file(kTwo, 11));
  EXPECT_THAT(message_of<FormatError>([&] { (void)reader.tensor("c"); }),
              AllOf(HasSubstr("has no tensor 'c'"), HasSubstr("m.safetensors")));
}

TEST_F(SafetensorsReaderTest, EveryTruncationIsAnError) {
  const std::string whole = read_file(file(kTwo, 11));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::string name = write("cut.safetensors", whole.substr(0, size));
    EXPECT_THAT(message_of<FormatError>([&] { SafetensorsReader reader(name); }),
                HasSubstr("cut.safetensors"))
        << size;
  }
}

}  // namespace
}  // namespace aios
