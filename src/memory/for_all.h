/// A parallel loop whose body may throw.
#pragma once

#include <atomic>
#include <exception>
#include <vector>

#include "base/thread_pool.h"

namespace aios {

/// Calls `body(thread, i)` for i of 0 to count - 1 on all threads, in ascending order on each, and
/// throws what one of them threw.
template <typename Body>
void for_all(ThreadPool& pool, std::size_t count, Body body) {
  const auto num_threads = static_cast<std::size_t>(pool.num_threads());
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> failures(num_threads);
  pool.parallel_for(pool.num_threads(), [&](int64_t thread) {
    const auto slot = static_cast<std::size_t>(thread);
    try {
      for (std::size_t i = next++; i < count; i = next++) body(slot, i);
    } catch (...) {
      failures[slot] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace aios
