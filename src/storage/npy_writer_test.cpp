#include "storage/npy_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "aios/error.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::HasSubstr;
using namespace storage_test;

using NpyWriterTest = FolderTest;

// The bytes that numpy 2.4's `numpy.save` writes for the same matrix.
TEST_F(NpyWriterTest, WritesWhatNumpyWrites) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  write_npy(path("a.npy"), values, 2, 3);
  std::string expected("\x93NUMPY\x01\x00v\x00", 10);
  expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  expected.append(127 - expected.size(), ' ');
  expected += '\n';
  expected.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  EXPECT_EQ(read_file(path("a.npy")), expected);
}

TEST_F(NpyWriterTest, NamesTheTypeOfIntegers) {
  write_npy(path("a.npy"), std::vector<int32_t>{7, -8}, 1, 2);
  const std::string file = read_file(path("a.npy"));
  EXPECT_THAT(file, HasSubstr("'descr': '<i4'"));
  EXPECT_EQ(file.size(), 128U + 8U);
  int32_t last = 0;
  std::memcpy(&last, file.data() + 132, sizeof(last));
  EXPECT_EQ(last, -8);
}

TEST_F(NpyWriterTest, AnUnwritableFolderIsAnIoError) {
  EXPECT_THAT(
      message_of<IoError>([&] { write_npy(path("absent/a.npy"), std::vector<float>{1}, 1, 1); }),
      HasSubstr("absent/a.npy"));
}

}  // namespace
}  // namespace aios
