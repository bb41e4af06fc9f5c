// Safetensors files that lie, and the errors that say so: one named test each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "aios/error.h"
#include "storage/safetensors_reader.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ValuesIn;
using namespace storage_test;

struct Case {
  const char* name;
  std::string file;
  const char* message;
};

/// A file whose only tensor `a` has this text for its fields.
std::string one(const std::string& fields, std::size_t data_size) {
  return safetensors_bytes(R"({"a":{)" + fields + "}}", data_size);
}

/// A file of two tensors of four bytes each, at these offsets.
std::string two(const std::string& a, const std::string& b, std::size_t data_size) {
  return safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                           data_size);
}

std::vector<Case> header_size_cases() {
  return {{"FileOfSevenBytes", "1234567", "too short to be a safetensors file"},
          {"HeaderSizeBeyondTheLimit", with_header_size(100'000'001, "{}"),
           "claims a header of 100000001 bytes; the limit is 100000000"},
          {"HeaderSizeOfAllOnes", with_header_size(UINT64_MAX, "{}"),
           "claims a header of 18446744073709551615 bytes"},
          {"HeaderSizeBeyondTheFile", with_header_size(3, "{}"), "ends within its header of 3"},
          {"HeaderSizeOfZero", with_header_size(0, "{}"), "does not begin with '{'"}};
}

std::vector<Case> json_cases() {
  return {
      {"HeaderThatBeginsWithASpace", safetensors_bytes(" {}", 0), "does not begin with '{'"},
      {"HeaderThatIsCutOff", safetensors_bytes(R"({"a")", 0), "its header is no JSON at byte"},
      {"TextAfterTheHeader", safetensors_bytes("{}x", 0), "its header is no JSON at byte"},
      {"HeaderThatIsNoUtf8", safetensors_bytes("{\"a\xff\":{}}", 0), "is no JSON at byte"},
      {"NulAfterTheHeader", safetensors_bytes(std::string("{}\0x", 4), 0), "has a NUL byte"},
      {"NullForATensor", safetensors_bytes(R"({"a":null})", 0), "has null where"},
      {"BooleanForATensor", safetensors_bytes(R"({"a":true})", 0), "has a boolean where"},
      {"TextForATensor", safetensors_bytes(R"({"a":"F32"})", 0), "has the text 'F32' where"},
      {"ListForATensor", safetensors_bytes(R"({"a":[]})", 0), "has an array where"},
      {"AMillionBrackets", safetensors_bytes(R"({"a":)" + std::string(1'000'000, '['), 0),
       "has an array where the format allows none, in tensor 'a'"},
      {"NestedShape", one(R"("shape":[[1]])", 0), "has an array where"},
      {"ObjectInTheMetadata", safetensors_bytes(R"({"__metadata__":{"k":{}}})", 0),
       "has an object where"},
      {"NumberInTheMetadata", safetensors_bytes(R"({"__metadata__":{"k":1}})", 0), "has 1 where"}};
}

std::vector<Case> duplicate_cases() {
  const std::string a = R"("a":{"dtype":"U8","shape":[],"data_offsets":[0,1]})";
  return {
      {"TensorThatIsThereTwice", safetensors_bytes("{" + a + "," + a + "}", 1),
       "its header has 'a' twice"},
      {"FieldThatIsThereTwice",
       one(R"("dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1])", 1),
       "tensor 'a' has 'dtype' twice"},
      {"MetadataKeyThatIsThereTwice", safetensors_bytes(R"({"__metadata__":{"k":"1","k":"2"}})", 0),
       "its __metadata__ has 'k' twice"},
      {"MetadataThatIsThereTwice", safetensors_bytes(R"({"__metadata__":{},"__metadata__":{}})", 0),
       "its header has '__metadata__' twice"}};
}

std::vector<Case> field_cases() {
  return {{"UnknownDtype", one(R"("dtype":"F8_E4M3","shape":[],"data_offsets":[0,1])", 1),
           "tensor 'a' has dtype 'F8_E4M3', which this build does not read; convert it to F32"},
          {"NumberForADtype", one(R"("dtype":7,"shape":[],"data_offsets":[0,1])", 1),
           "has 7 where the format allows none, in tensor 'a'"},
          {"MissingDtype", one(R"("shape":[],"data_offsets":[0,1])", 1),
           "tensor 'a' lacks dtype, shape or data_offsets"},
          {"MissingShape", one(R"("dtype":"U8","data_offsets":[0,1])", 1), "lacks dtype, shape"},
          {"MissingOffsets", one(R"("dtype":"U8","shape":[])", 1), "lacks dtype, shape"},
          {"UnknownField", one(R"("dtype":"U8","shape":[],"data_offsets":[0,1],"x":1)", 1),
           "has 1 where the format allows none, in tensor 'a'"}};
}

std::vector<Case> shape_cases() {
  return {{"NegativeExtent", one(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])", 1),
           "has the negative number -1 where"},
          {"FractionalExtent", one(R"("dtype":"U8","shape":[1.5],"data_offsets":[0,1])", 1),
           "has 1.5 where"},
          {"ExtentOf2To63",
           one(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1])", 1),
           "9223372036854775808 is too large"},
          {"ShapeWhoseBytesOverflow",
           one(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0),
           "tensor 'a': its shape overflows"},
          {"OverflowHiddenByAZero",
           one(R"("dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0])", 0),
           "tensor 'a': its shape overflows"},
          {"ShapeThatNeedsMoreBytes", one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4),
           "tensor 'a': its shape and dtype need 8 bytes, its data_offsets give 4"}};
}

std::vector<Case> offset_cases() {
  return {{"OffsetsThatAreReversed", one(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])", 1),
           "its data_offsets are not [begin, end]"},
          {"OneOffset", one(R"("dtype":"U8","shape":[1],"data_offsets":[0])", 1),
           "its data_offsets are not [begin, end]"},
          {"ThreeOffsets", one(R"("dtype":"U8","shape":[1],"data_offsets":[0,1,1])", 1),
           "its data_offsets are not [begin, end]"},
          {"OverlappingTensors", two("[0,4]", "[2,6]", 6),
           "tensor 'b' begins at data byte 2 where 4 was expected: tensors must not overlap"},
          {"TensorsInTheSamePlace", two("[0,4]", "[0,4]", 4), "must not overlap"},
          {"HoleBetweenTensors", two("[0,4]", "[5,9]", 9), "or leave holes"},
          {"HoleBeforeTheFirstTensor", two("[1,5]", "[5,9]", 9), "or leave holes"},
          {"DataThatIsCutOff", two("[0,4]", "[4,8]", 7),
           "tensor 'b' ends at data byte 8 of 7: the file is truncated; fetch it again"},
          {"BytesAfterTheLastTensor", two("[0,4]", "[4,8]", 9),
           "1 bytes after the last tensor belong to none"},
          {"OffsetsBeyondAllMemory",
           one(R"("dtype":"U8","shape":[9223372036854775807],)"
               R"("data_offsets":[0,9223372036854775807])",
               1),
           "the file is truncated"}};
}

class SafetensorsErrorTest : public FolderTest, public ::testing::WithParamInterface<Case> {};

TEST_P(SafetensorsErrorTest, IsRefused) {
  const std::string file = write("m.safetensors", GetParam().file);
  EXPECT_THAT(message_of<FormatError>([&] { SafetensorsReader reader(file); }),
              AllOf(HasSubstr(GetParam().message), HasSubstr("m.safetensors")));
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(HeaderSize, SafetensorsErrorTest, ValuesIn(header_size_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Json, SafetensorsErrorTest, ValuesIn(json_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Twice, SafetensorsErrorTest, ValuesIn(duplicate_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Fields, SafetensorsErrorTest, ValuesIn(field_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Shape, SafetensorsErrorTest, ValuesIn(shape_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Offsets, SafetensorsErrorTest, ValuesIn(offset_cases()), name_of);

}  // namespace
}  // namespace aios
