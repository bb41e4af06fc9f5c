#include "base/thread_pool.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "aios/error.h"
#include "base/aligned_buffer.h"
#include "base/cpu_features.h"

namespace aios {
namespace {

constexpr std::chrono::microseconds kSpinTime{20};
constexpr int kMaxThreads = 1024;

void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `value` differs from `old_value`: spins for kSpinTime, then sleeps.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old_value) noexcept {
  constexpr int kPausesPerClockRead = 32;
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      if (value.load(std::memory_order_acquire) != old_value) return;
      pause_processor();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old_value, std::memory_order_acquire);
}

}  // namespace

/// Why a worker that wakes late never touches a finished region: it learns of a region's body only
/// after it has claimed one of its chunks, and a region with a claimed chunk is not finished. A
/// claim that comes too late finds no chunk left, or is a proper claim on the next region.
struct ThreadPool::Implementation {
  std::mutex callers;  // held for a region: callers queue here

  // The current region. Written by its caller before `num_unclaimed` is stored; read after a claim.
  const FunctionRef<void(int64_t)>* body = nullptr;
  int64_t num_chunks = 0;

  alignas(kCacheLine) std::atomic<int64_t> num_unclaimed{0};  // negative after failed claims
  alignas(kCacheLine) std::atomic<int64_t> num_unfinished{0};
  alignas(kCacheLine) std::atomic<uint32_t> num_started_regions{0};
  alignas(kCacheLine) std::atomic<uint32_t> num_finished_regions{0};
  std::atomic<bool> stopping{false};
  std::vector<std::jthread> workers;  // last: joined while the members above still live

  ~Implementation() {
    stopping.store(true, std::memory_order_relaxed);
    announce_region();
  }

  void announce_region() noexcept {
    num_started_regions.fetch_add(1, std::memory_order_release);
    num_started_regions.notify_all();
  }

  /// Claims and runs chunks of the current region until none is left to claim.
  void run_chunks() noexcept {
    while (true) {
      const int64_t unclaimed = num_unclaimed.fetch_sub(1, std::memory_order_acquire);
      if (unclaimed <= 0) return;
      (*body)(num_chunks - unclaimed);
      if (num_unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        num_finished_regions.fetch_add(1, std::memory_order_release);
        num_finished_regions.notify_one();
      }
    }
  }

  void work() noexcept {
    uint32_t seen = 0;
    while (true) {
      wait_for_change(num_started_regions, seen);
      seen = num_started_regions.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_relaxed)) return;
      run_chunks();
    }
  }
};

ThreadPool::ThreadPool(int num_threads) : implementation_(std::make_unique<Implementation>()) {
  if (num_threads < 0 || num_threads > kMaxThreads) {
    throw ConfigError("threads is " + std::to_string(num_threads) + ": give a number from 1 to " +
                      std::to_string(kMaxThreads) + ", or 0 for one per physical core");
  }
  if (num_threads == 0) num_threads = num_physical_cores();
  try {
    for (int i = 1; i < num_threads; ++i) {
      implementation_->workers.emplace_back([state = implementation_.get()] { state->work(); });
    }
  } catch (const std::system_error& error) {
    throw ConfigError("cannot start " + std::to_string(num_threads) + " threads (" + error.what() +
                      "): give fewer threads");
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::num_threads() const noexcept {
  return static_cast<int>(implementation_->workers.size()) + 1;
}

void ThreadPool::parallel_for(int64_t num_chunks, FunctionRef<void(int64_t)> body) noexcept {
  Implementation& state = *implementation_;
  if (num_chunks <= 1 || state.workers.empty()) {
    for (int64_t chunk = 0; chunk < num_chunks; ++chunk) body(chunk);
    return;
  }
  const std::lock_guard queue(state.callers);
  const uint32_t finished = state.num_finished_regions.load(std::memory_order_relaxed);
  state.body = &body;
  state.num_chunks = num_chunks;
  state.num_unfinished.store(num_chunks, std::memory_order_relaxed);
  state.num_unclaimed.store(num_chunks, std::memory_order_release);
  state.announce_region();
  state.run_chunks();
  wait_for_change(state.num_finished_regions, finished);
}

}  // namespace aios
