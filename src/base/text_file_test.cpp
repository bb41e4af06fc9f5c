#include "base/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "aios/error.h"

namespace aios {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(TextFile, GivesEveryByte) {
  const auto path = (std::filesystem::path(testing::TempDir()) / "text_file_test").string();
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(i * 31);
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(read_text_file(path, bytes.size()), bytes);
  EXPECT_THAT([&] { (void)read_text_file(path, bytes.size() - 1); },
              ThrowsMessage<IoError>(HasSubstr("more than 199999 bytes")));
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(read_text_file(path, 0), "");
}

TEST(TextFile, SaysWhyItCannotRead) {
  EXPECT_THAT([] { (void)read_text_file("/no/such/file", 10); },
              ThrowsMessage<IoError>("cannot read '/no/such/file': No such file or directory"));
  EXPECT_THAT([] { (void)read_text_file("/", 10); },
              ThrowsMessage<IoError>(HasSubstr("directory")));
  // A device without an end is refused, not swallowed.
  EXPECT_THAT([] { (void)read_text_file("/dev/zero", 1000); },
              ThrowsMessage<IoError>(HasSubstr("more than 1000 bytes")));
}

}  // namespace
}  // namespace aios
