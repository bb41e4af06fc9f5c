// Parquet model files that are damaged: cut off, with wrong bytes anywhere, or with a directory
// that contradicts them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/parquet_test_support.h"
#include "storage/parquet_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using namespace storage_test;

class ParquetDamageTest : public FolderTest {
 protected:
  /// The error of opening a file of these bytes and asking for all that it has.
  std::string error_of(std::string_view bytes) const {
    const std::string file = write("w.parquet", bytes);
    return message_of<FormatError>([&] {
      const ParquetReader reader(file);
      for (const TensorInfo& info : reader.tensors()) (void)reader.tensor(info.name);
    });
  }
  /// A file by our own writer, with a directory in its footer.
  std::string sound_file() const {
    ParquetModelWriter writer(path("sound.parquet"));
    writer.add("tensor", tensor_of<float>(DType::kF32, {2, 2}, {1, 2, 3, 4}));
    writer.add("other", tensor_of<int16_t>(DType::kI16, {3}, {1, 2, 3}));
    writer.finish();
    return read_file(path("sound.parquet"));
  }
  /// The sound file with the last `from`, which is in the directory, replaced by `to`.
  std::string error_of_directory(const std::string& from, const std::string& to) const {
    std::string bytes = sound_file();
    const std::size_t at = bytes.rfind(from);
    EXPECT_NE(at, std::string::npos);
    return error_of(bytes.replace(at, from.size(), to));
  }
};

/// Where the data of the tensor `tensor` of the sound file begins.
std::size_t data_offset(const std::string& sound) {
  const float values[] = {1, 2, 3, 4};
  return sound.find(std::string(reinterpret_cast<const char*>(values), sizeof(values)));
}

std::size_t footer_offset(const std::string& sound) {
  uint32_t size = 0;
  std::memcpy(&size, sound.data() + sound.size() - 8, sizeof(size));
  return sound.size() - 8 - size;
}

TEST_F(ParquetDamageTest, RefusesAnEmptyFile) {
  EXPECT_THAT(message_of<IoError>([&] { ParquetReader reader(write("w.parquet", "")); }),
              HasSubstr("the file is empty"));
}

TEST_F(ParquetDamageTest, RefusesAFileOfOneByte) {
  EXPECT_THAT(error_of("x"), HasSubstr("no sound Parquet file"));
}

TEST_F(ParquetDamageTest, RefusesAFileOfTwoMagics) {
  EXPECT_THAT(error_of("PAR1PAR1"), HasSubstr("no sound Parquet file"));
}

TEST_F(ParquetDamageTest, RefusesAFileOfAnotherFormat) {
  EXPECT_THAT(error_of(std::string(1000, 'x')), HasSubstr("no sound Parquet file"));
}

TEST_F(ParquetDamageTest, RefusesEveryTruncation) {
  const std::string whole = sound_file();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("no sound Parquet file")) << size;
  }
}

TEST_F(ParquetDamageTest, RefusesLyingFooterLengths) {
  std::string bytes = sound_file();
  for (const uint32_t length : {0U, 1U, 100U, 1U << 20U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    std::memcpy(bytes.data() + bytes.size() - 8, &length, sizeof(length));
    EXPECT_THAT(error_of(bytes), HasSubstr("no sound Parquet file")) << length;
  }
}

// Whatever one wrong byte does, it ends in an error or leaves all as it was. Most bytes of a footer
// matter; before it, many are of data, which only `verify` reads.
TEST_F(ParquetDamageTest, SurvivesEveryWrongByte) {
  const std::string sound = sound_file();
  std::size_t num_refused_in_footer = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = sound;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      const std::string error = error_of(bytes);
      EXPECT_THAT(error, AnyOf(HasSubstr("w.parquet"), "no error")) << at;
      if (at >= footer_offset(sound) && error != "no error") ++num_refused_in_footer;
    }
  }
  EXPECT_GT(num_refused_in_footer, sound.size() - footer_offset(sound));
}

TEST_F(ParquetDamageTest, VerifyFindsEveryFlippedBitOfTheData) {
  const std::string sound = sound_file();
  const std::size_t begin = data_offset(sound);
  for (std::size_t bit = 0; bit < 8 * 16; ++bit) {
    std::string bytes = sound;
    bytes[begin + bit / 8] = static_cast<char>(bytes[begin + bit / 8] ^ (1 << (bit % 8)));
    const ParquetReader reader(write("w.parquet", bytes));
    EXPECT_THAT(message_of<FormatError>([&] { reader.verify(); }),
                AllOf(HasSubstr("w.parquet"), HasSubstr("CRC")))
        << bit;
  }
}

TEST_F(ParquetDamageTest, RefusesALyingLengthOfAValue) {
  const std::string sound = sound_file();
  for (const uint32_t length : {0U, 15U, 17U, 0x7fffffffU, 0xfffffffcU, 0xffffffffU}) {
    std::string bytes = sound;
    std::memcpy(bytes.data() + data_offset(sound) - 4, &length, sizeof(length));
    EXPECT_THAT(error_of(bytes), AnyOf(HasSubstr("no sound Parquet file"), HasSubstr("need 16")))
        << length;
  }
}

// The header of a dictionary's page, in Thrift's compact protocol: field 7 is a structure (0x4c)
// whose field 1 is an integer (0x15), the number of values; numbers are doubled.
TEST_F(ParquetDamageTest, RefusesADictionaryThatClaimsMoreValuesThanItHolds) {
  const auto table = model_table({good_row("tensor", {1, 2})}, Version::kV2);
  std::string bytes = read_file(write_table(path("w.parquet"), *table, Encoding::kCompressed));
  const std::size_t header = bytes.find("\x4c\x15\x02\x15");
  ASSERT_NE(header, std::string::npos);
  bytes[header + 2] = 2 * 63;
  EXPECT_THAT(error_of(bytes), HasSubstr("a dictionary of 10 bytes claims 63 values"));
}

TEST_F(ParquetDamageTest, RefusesADirectoryThatContradictsADtype) {
  EXPECT_THAT(error_of_directory(R"("dtype":"f32")", R"("dtype":"i32")"),
              HasSubstr("the directory in the footer contradicts row group 0"));
}

TEST_F(ParquetDamageTest, RefusesADirectoryThatContradictsAShape) {
  EXPECT_THAT(error_of_directory(R"("shape":[2,2])", R"("shape":[4,1])"),
              HasSubstr("the directory in the footer contradicts row group 0"));
}

TEST_F(ParquetDamageTest, RefusesADirectoryThatContradictsAName) {
  EXPECT_THAT(error_of_directory(R"("layer_name":"tensor")", R"("layer_name":"tensex")"),
              HasSubstr("the directory in the footer contradicts row group 0"));
}

TEST_F(ParquetDamageTest, RefusesADirectoryThatContradictsACount) {
  EXPECT_THAT(error_of_directory(R"("shape":[2,2])", R"("shape":[9,2])"),
              HasSubstr("num_params 4 where its shape has 18"));
}

TEST_F(ParquetDamageTest, RefusesADirectoryThatContradictsAQuantType) {
  EXPECT_THAT(error_of_directory(R"("quant_type":"none")", R"("quant_type":"int4")"),
              HasSubstr("quant_type 'int4'"));
}

}  // namespace
}  // namespace aios
