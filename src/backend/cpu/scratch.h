/// Memory that calls reuse, so that nothing is allocated while layers are computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"

namespace aios {

/// Grows to its largest use and stays there. Growing loses the contents.
template <typename T>
class GrowingBuffer {
 public:
  T* reserve(int64_t size) {
    if (static_cast<std::size_t>(size) > memory_.size()) {
      memory_ = AlignedBuffer<T>(static_cast<std::size_t>(size));
    }
    return memory_.data();
  }
  [[nodiscard]] T* data() noexcept { return memory_.data(); }
  [[nodiscard]] const T* data() const noexcept { return memory_.data(); }

 private:
  AlignedBuffer<T> memory_;
};

/// Equal parts of one buffer, one per slot of `for_each_item`, on cache lines of their own.
class SlotMemory {
 public:
  void reserve(int num_slots, int64_t floats_per_slot) {
    constexpr int64_t kLine = kCacheLine / sizeof(float);
    stride_ = (floats_per_slot + kLine - 1) / kLine * kLine;
    memory_.reserve(num_slots * stride_);
  }
  [[nodiscard]] float* slot(int64_t index) noexcept { return memory_.data() + index * stride_; }

 private:
  GrowingBuffer<float> memory_;
  int64_t stride_ = 0;
};

/// Objects lent to one caller at a time; as many exist as callers ever overlapped.
template <typename T>
class LendingPool {
 public:
  class Loan {
   public:
    Loan(LendingPool& pool, std::unique_ptr<T> object) : pool_(pool), object_(std::move(object)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.take_back(std::move(object_)); }
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_.get(); }

   private:
    LendingPool& pool_;
    std::unique_ptr<T> object_;
  };

  /// The object given back last, or a new one.
  [[nodiscard]] Loan borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<T> object = std::move(free_.back());
        free_.pop_back();
        return Loan(*this, std::move(object));
      }
      free_.reserve(++num_objects_);  // giving back never allocates
    }
    return Loan(*this, std::make_unique<T>());
  }

 private:
  void take_back(std::unique_ptr<T> object) noexcept {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(object));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
  std::size_t num_objects_ = 0;
};

}  // namespace aios
