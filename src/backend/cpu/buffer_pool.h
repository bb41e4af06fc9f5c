/// Memory of buffers that are gone, kept for new ones: the activations of a call then lie on pages
/// that the system has mapped before.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"

namespace aios {

/// Thread-safe. Keeps at most as much as was ever in use at once.
class BufferPool {
 public:
  /// Uninitialised memory for at least `size` floats. @throws std::bad_alloc
  [[nodiscard]] AlignedBuffer<float> take(std::size_t size);
  void give_back(AlignedBuffer<float> memory) noexcept;

 private:
  std::mutex mutex_;
  std::vector<AlignedBuffer<float>> free_;  // by size, ascending; room for all that are in use
  std::size_t num_in_use_ = 0;
  // Floats.
  std::size_t size_in_use_ = 0;
  std::size_t most_in_use_ = 0;
  std::size_t size_free_ = 0;
};

}  // namespace aios
