#include "base/xxh64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace aios {
namespace {

std::vector<std::byte> sample(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 % 256);
  return bytes;
}

// Figures of the reference implementation, by way of the Python package xxhash 3:
// xxhash.xxh64(bytes(i * 7 % 256 for i in range(n))).intdigest()
TEST(Xxh64, IsTheReferenceImplementations) {
  const std::vector<std::pair<std::size_t, uint64_t>> known = {
      {0, 0xef46db3751d8e999},   {1, 0xe934a84adb052768},   {4, 0xae5acdc00a55ac41},
      {7, 0xd734a6b26f3da63e},   {8, 0x87116b3365b924eb},   {31, 0x0f187c62b1e722b7},
      {32, 0x91b0cb0931a8c629},  {33, 0x931b043cf8d65b94},  {64, 0xbf3052e3445775d0},
      {100, 0x8e2272c08247d5db}, {1000, 0x25275608a9cfc168}};
  for (const auto& [size, hash] : known) EXPECT_EQ(xxh64(sample(size)), hash) << size;
}

TEST(Xxh64, PortionsDoNotMatter) {
  const std::vector<std::byte> bytes = sample(257);
  for (std::size_t portion = 1; portion < 100; ++portion) {
    Xxh64 hash;
    for (std::size_t at = 0; at < bytes.size(); at += portion) {
      hash.update(std::span(bytes).subspan(at, std::min(portion, bytes.size() - at)));
    }
    EXPECT_EQ(hash.digest(), xxh64(bytes)) << portion;
  }
}

}  // namespace
}  // namespace aios
