#include "backend/cpu/buffer_pool.h"

#include <gtest/gtest.h>

#include <utility>

namespace aios {
namespace {

TEST(BufferPool, GivesTheSmallestThatFitsAgain) {
  BufferPool pool;
  AlignedBuffer<float> small = pool.take(100);
  AlignedBuffer<float> large = pool.take(150);
  const float* const small_data = small.data();
  const float* const large_data = large.data();
  pool.give_back(std::move(large));
  pool.give_back(std::move(small));
  const AlignedBuffer<float> first = pool.take(90);
  const AlignedBuffer<float> second = pool.take(90);
  EXPECT_EQ(first.data(), small_data);
  EXPECT_EQ(second.data(), large_data);
  EXPECT_EQ(second.size(), 150U);
}

TEST(BufferPool, DoesNotGiveMoreThanTwiceWhatIsNeeded) {
  BufferPool pool;
  AlignedBuffer<float> large = pool.take(1000);
  const float* const large_data = large.data();
  pool.give_back(std::move(large));
  const AlignedBuffer<float> tiny = pool.take(10);
  EXPECT_EQ(tiny.size(), 10U);
  EXPECT_EQ(pool.take(500).data(), large_data);
}

/// Sizes that only grow leave nothing behind that is of no more use.
TEST(BufferPool, KeepsNoMoreThanWasInUseAtOnce) {
  BufferPool pool;
  for (std::size_t size = 100; size < 200; ++size) pool.give_back(pool.take(size));
  AlignedBuffer<float> last = pool.take(199);
  EXPECT_EQ(last.size(), 199U);  // the last one again; all smaller ones are gone
  AlignedBuffer<float> other = pool.take(50);
  EXPECT_EQ(other.size(), 50U);
  pool.give_back(std::move(last));
  pool.give_back(std::move(other));
}

}  // namespace
}  // namespace aios
