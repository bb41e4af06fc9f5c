#include "storage/safetensors_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "aios/error.h"
#include "storage/safetensors_header.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace storage_test;

std::string with_header_size(uint64_t size, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + rest;
}

class SafetensorsReaderTest : public FolderTest {
 protected:
  /// A file of this header and `data_size` bytes 0, 1, 2, ...
  std::string file(const std::string& header, std::size_t data_size) const {
    std::string data(data_size, '\0');
    for (std::size_t i = 0; i < data_size; ++i) data[i] = static_cast<char>(i);
    return write("m.safetensors", with_header_size(header.size(), header + data));
  }
  /// The error of opening such a file.
  std::string error_of(const std::string& header, std::size_t data_size) const {
    const std::string name = file(header, data_size);
    return message_of<FormatError>([&] { SafetensorsReader reader(name); });
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

TEST_F(SafetensorsReaderTest, RefusesLyingHeaderSizes) {
  const auto error = [&](const std::string& content) {
    const std::string name = write("m.safetensors", content);
    return message_of<FormatError>([&] { SafetensorsReader reader(name); });
  };
  EXPECT_THAT(error("1234567"), HasSubstr("too short"));
  EXPECT_THAT(error(with_header_size(100'000'001, "{}")),
              HasSubstr("claims a header of 100000001"));
  EXPECT_THAT(error(with_header_size(UINT64_MAX, "{}")),
              HasSubstr("claims a header of 18446744073709551615"));
  EXPECT_THAT(error(with_header_size(3, "{}")), HasSubstr("ends within its header"));
  EXPECT_THAT(error(with_header_size(0, "{}")), HasSubstr("does not begin with '{'"));
}

TEST_F(SafetensorsReaderTest, RefusesHeadersThatAreNoSoundJson) {
  EXPECT_THAT(error_of(" {}", 0), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(error_of(R"({"a")", 0), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("{}x", 0), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("{\"a\xff\":{}}", 0), HasSubstr("no JSON"));
  EXPECT_THAT(error_of(std::string("{}\0", 3), 0), HasSubstr("no JSON"));
  EXPECT_THAT(error_of(R"({"a":null})", 0), HasSubstr("null where the format allows none"));
  EXPECT_THAT(error_of(R"({"a":true})", 0), HasSubstr("a boolean"));
  EXPECT_THAT(error_of(R"({"a":"F32"})", 0), HasSubstr("the text 'F32'"));
  EXPECT_THAT(error_of(R"({"a":[]})", 0), HasSubstr("an array"));
}

TEST_F(SafetensorsReaderTest, RefusesDeepNestingAtItsFirstToken) {
  EXPECT_THAT(error_of(R"({"a":)" + std::string(1'000'000, '['), 0), HasSubstr("an array"));
  EXPECT_THAT(error_of(R"({"a":{"shape":[[)", 0), HasSubstr("an array"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"a":{)", 0), HasSubstr("an object"));
}

TEST_F(SafetensorsReaderTest, RefusesNamesThatAreThereTwice) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)"
                       R"("a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})",
                       1),
              HasSubstr("'a' twice"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1),
              HasSubstr("tensor 'a' has 'dtype' twice"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"k":"1","k":"2"}})", 0),
              HasSubstr("__metadata__ has 'k' twice"));
  EXPECT_THAT(error_of(R"({"__metadata__":{},"__metadata__":{}})", 0),
              HasSubstr("'__metadata__' twice"));
}

TEST_F(SafetensorsReaderTest, RefusesFieldsThatAreWrong) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]}})", 1),
              AllOf(HasSubstr("tensor 'a' has dtype 'F8_E4M3'"), HasSubstr("convert it to F32")));
  EXPECT_THAT(error_of(R"({"a":{"dtype":7,"shape":[],"data_offsets":[0,1]}})", 1),
              HasSubstr("7 where the format allows none, in tensor 'a'"));
  EXPECT_THAT(error_of(R"({"a":{"shape":[],"data_offsets":[0,1]}})", 1),
              HasSubstr("tensor 'a' lacks dtype, shape or data_offsets"));
  EXPECT_THAT(error_of(R"({"a":{}})", 0), HasSubstr("lacks"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}})", 1),
              HasSubstr("1 where the format allows none"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"k":1}})", 0), HasSubstr("1 where"));
}

TEST_F(SafetensorsReaderTest, RefusesShapesThatAreWrong) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1),
              HasSubstr("the negative number -1"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1),
              HasSubstr("1.5 where"));
  EXPECT_THAT(
      error_of(R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}})", 1),
      HasSubstr("9223372036854775808 is too large"));
  EXPECT_THAT(
      error_of(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0),
      HasSubstr("its shape overflows"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,0],)"
                       R"("data_offsets":[0,0]}})",
                       0),
              HasSubstr("its shape overflows"));
}

TEST_F(SafetensorsReaderTest, RefusesOffsetsThatAreWrong) {
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1),
              HasSubstr("not [begin, end]"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1),
              HasSubstr("not [begin, end]"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1),
              HasSubstr("not [begin, end]"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("need 8 bytes, its data_offsets give 4"));
}

TEST_F(SafetensorsReaderTest, RefusesOverlapsHolesAndBytesOutsideTheFile) {
  const auto two = [](const char* a, const char* b) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + a +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
  };
  EXPECT_THAT(error_of(two("[0,4]", "[2,6]"), 6), HasSubstr("overlap"));
  EXPECT_THAT(error_of(two("[0,4]", "[0,4]"), 4), HasSubstr("overlap"));
  EXPECT_THAT(error_of(two("[0,4]", "[5,9]"), 9), HasSubstr("holes"));
  EXPECT_THAT(error_of(two("[1,5]", "[5,9]"), 9), HasSubstr("holes"));
  EXPECT_THAT(error_of(two("[0,4]", "[4,8]"), 7), HasSubstr("data byte 8 of 7: the file is trunc"));
  EXPECT_THAT(error_of(two("[0,4]", "[4,8]"), 9), HasSubstr("1 bytes after the last tensor"));
  EXPECT_THAT(error_of(R"({"a":{"dtype":"U8","shape":[9223372036854775807],)"
                       R"("data_offsets":[0,9223372036854775807]}})",
                       1),
              HasSubstr("truncated"));
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
