#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <utility>

namespace aios {
namespace {

TEST(AlignedBuffer, StartsOnACacheLine) {
  for (const std::size_t size : {1U, 3U, 100U}) {
    AlignedBuffer<float> buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kCacheLine, 0U);
    EXPECT_EQ(buffer.span().size(), size);
  }
}

TEST(AlignedBuffer, MovesItsMemory) {
  AlignedBuffer<int> first(2);
  first.span()[1] = 7;
  const AlignedBuffer<int> second = std::move(first);
  EXPECT_EQ(second.span()[1], 7);
}

TEST(AlignedBuffer, RefusesSizesThatOverflow) {
  EXPECT_THROW(AlignedBuffer<double>(SIZE_MAX / 4), std::bad_alloc);
}

}  // namespace
}  // namespace aios
