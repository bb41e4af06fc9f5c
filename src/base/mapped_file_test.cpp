#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string_view>

#include "aios/error.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view content) const {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  static std::string error_of(const std::string& path) {
    try {
      MappedFile::open(path);
    } catch (const IoError& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ("mapped_file_" +
       std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  const std::string path = write("data", std::string_view("a\0b", 3));
  const auto file = MappedFile::open(path);
  EXPECT_EQ(file->path(), path);
  const auto bytes = file->bytes();
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
            std::string_view("a\0b", 3));
}

TEST_F(MappedFileTest, OutlivesTheFilesName) {
  const std::string path = write("data", "still here");
  const auto file = MappedFile::open(path);
  std::filesystem::remove(path);
  EXPECT_EQ(file->bytes().front(), std::byte{'s'});
}

TEST_F(MappedFileTest, RefusesAMissingFile) {
  const std::string path = folder_ / "missing";
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("No such file")));
}

TEST_F(MappedFileTest, RefusesADirectory) {
  EXPECT_THAT(error_of(folder_), AllOf(HasSubstr(folder_), HasSubstr("directory")));
}

TEST_F(MappedFileTest, RefusesAnEmptyFile) {
  const std::string path = write("empty", "");
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("empty")));
}

TEST_F(MappedFileTest, RefusesAPipeWithoutWaitingForIt) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("not a regular file")));
}

}  // namespace
}  // namespace aios
