#include "backend/cpu/buffer_pool.h"

#include <algorithm>
#include <utility>

namespace aios {
namespace {

bool is_smaller(const AlignedBuffer<float>& memory, std::size_t size) noexcept {
  return memory.size() < size;
}

}  // namespace

AlignedBuffer<float> BufferPool::take(std::size_t size) {
  const std::lock_guard lock(mutex_);
  free_.reserve(free_.size() + num_in_use_ + 1);  // giving back never allocates
  AlignedBuffer<float> memory;
  const auto found = std::lower_bound(free_.begin(), free_.end(), size, is_smaller);
  if (found != free_.end() && found->size() / 2 <= size) {
    memory = std::move(*found);
    free_.erase(found);
    size_free_ -= memory.size();
  } else {
    memory = AlignedBuffer<float>(size);
  }
  ++num_in_use_;
  size_in_use_ += memory.size();
  most_in_use_ = std::max(most_in_use_, size_in_use_);
  return memory;
}

void BufferPool::give_back(AlignedBuffer<float> memory) noexcept {
  const std::lock_guard lock(mutex_);
  --num_in_use_;
  size_in_use_ -= memory.size();
  size_free_ += memory.size();
  const auto place = std::lower_bound(free_.begin(), free_.end(), memory.size(), is_smaller);
  free_.insert(place, std::move(memory));
  while (size_in_use_ + size_free_ > most_in_use_ && !free_.empty()) {
    size_free_ -= free_.front().size();
    free_.erase(free_.begin());
  }
}

}  // namespace aios
