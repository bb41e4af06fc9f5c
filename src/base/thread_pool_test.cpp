#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "aios/error.h"
#include "base/cpu_features.h"

namespace aios {
namespace {

/// Runs one region and returns how often each chunk was called.
std::vector<int> count_calls(ThreadPool& pool, int64_t num_chunks) {
  std::vector<std::atomic<int>> calls(static_cast<std::size_t>(num_chunks));
  pool.parallel_for(num_chunks, [&](int64_t chunk) { ++calls[static_cast<std::size_t>(chunk)]; });
  return {calls.begin(), calls.end()};
}

TEST(ThreadPool, CallsEveryChunkOnce) {
  for (const int num_threads : {1, 2, 3, 8}) {
    ThreadPool pool(num_threads);
    EXPECT_EQ(pool.num_threads(), num_threads);
    for (const int64_t num_chunks : {0, 1, 2, 7, 1000}) {
      EXPECT_EQ(count_calls(pool, num_chunks),
                std::vector<int>(static_cast<std::size_t>(num_chunks), 1))
          << num_threads << " threads";
    }
  }
}

TEST(ThreadPool, TakesOneThreadPerPhysicalCoreByDefault) {
  EXPECT_EQ(ThreadPool().num_threads(), num_physical_cores());
}

// Bodies live on the stack of this loop: a worker that wakes late and calls a finished body, or
// claims a chunk of the next region for it, corrupts a sum (and is caught by ThreadSanitizer).
TEST(ThreadPool, LateWorkersDoNotTouchFinishedRegions) {
  ThreadPool pool(4);
  for (int64_t region = 0; region < 20'000; ++region) {
    std::atomic<int64_t> sum{0};
    const int64_t num_chunks = 2 + region % 5;
    pool.parallel_for(num_chunks, [&sum, region](int64_t chunk) { sum += region + chunk; });
    ASSERT_EQ(sum, num_chunks * region + num_chunks * (num_chunks - 1) / 2);
  }
}

TEST(ThreadPool, WorkersThatSleptTakePartAgain) {
  ThreadPool pool(2);
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // longer than workers spin
    std::atomic<int> num_inside{0};
    // Each chunk waits for the other: done only if two threads run them.
    pool.parallel_for(2, [&](int64_t) {
      ++num_inside;
      while (num_inside < 2) std::this_thread::yield();
    });
    EXPECT_EQ(num_inside, 2);
  }
}

// One thread holds its first chunk until all other chunks are done: the others must not wait for
// it.
TEST(ThreadPool, ADescheduledThreadDoesNotStallOtherChunks) {
  ThreadPool pool(2);
  constexpr int64_t kNumChunks = 100;
  std::atomic<int64_t> num_done{0};
  std::atomic<bool> one_is_held{false};
  pool.parallel_for(kNumChunks, [&](int64_t) {
    if (!one_is_held.exchange(true)) {
      while (num_done < kNumChunks - 1) std::this_thread::yield();
    }
    ++num_done;
  });
  EXPECT_EQ(num_done, kNumChunks);
}

TEST(ThreadPool, SeveralCallersQueue) {
  ThreadPool pool(3);
  std::atomic<int64_t> total{0};
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int region = 0; region < 500; ++region) {
        pool.parallel_for(6, [&](int64_t chunk) { total += chunk; });
      }
    });
  }
  callers.clear();
  EXPECT_EQ(total, 4 * 500 * (0 + 1 + 2 + 3 + 4 + 5));
}

TEST(ThreadPool, PoolsStartAndStopWithoutWork) {
  for (int repeat = 0; repeat < 50; ++repeat) EXPECT_EQ(ThreadPool(3).num_threads(), 3);
}

TEST(ThreadPool, RefusesNonsenseThreadCounts) {
  EXPECT_THROW(ThreadPool(-1), ConfigError);
  EXPECT_THROW(ThreadPool(1'000'000), ConfigError);
}

}  // namespace
}  // namespace aios
