#include "storage/sha256.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/error.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::HasSubstr;
using namespace storage_test;

using Sha256Test = FolderTest;

std::string digest_of(std::string_view text) {
  Sha256 sha256;
  sha256.update(std::as_bytes(std::span(text)));
  return sha256.hex_digest();
}

// NIST, "Examples with Intermediate Values" and the Secure Hash Standard validation vectors.
TEST(Sha256Vectors, EqualsThePublishedOnes) {
  EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Vectors, DoNotDependOnThePieces) {
  const auto bytes = pattern(1000, 1);
  const auto all = std::as_bytes(std::span(bytes));
  for (std::size_t length = 0; length < 200; ++length) {  // every place of the padding
    Sha256 whole;
    whole.update(all.first(length));
    Sha256 pieces;
    for (std::size_t begin = 0; begin < length; begin += 7) {
      pieces.update(all.subspan(begin, std::min<std::size_t>(7, length - begin)));
    }
    EXPECT_EQ(whole.hex_digest(), pieces.hex_digest()) << length;
  }
}

TEST_F(Sha256Test, OfAFileLargerThanOnePiece) {
  const std::string file = write("a", std::string(1'000'000, 'a') + std::string(1'000'000, 'b'));
  int64_t counted = 0;
  EXPECT_EQ(sha256_of_file(file, [&](int64_t bytes) { counted += bytes; }),
            digest_of(read_file(file)));
  EXPECT_EQ(counted, 2'000'000);
  EXPECT_THAT(message_of<IoError>([&] { (void)sha256_of_file(path("absent")); }),
              HasSubstr("absent"));
}

}  // namespace
}  // namespace aios
