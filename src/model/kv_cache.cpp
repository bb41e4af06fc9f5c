#include "model/kv_cache.h"

#include <new>
#include <string>

#include "aios/error.h"

namespace aios {

KVCache::KVCache(Backend& backend, int64_t num_layers, int64_t row_size, int64_t capacity)
    : capacity_(capacity) {
  try {
    layers_.resize(static_cast<std::size_t>(num_layers));
    for (Layer& layer : layers_) {
      layer.keys = backend.allocate(capacity, row_size);
      layer.values = backend.allocate(capacity, row_size);
    }
  } catch (const std::bad_alloc&) {
    throw InferenceError("no memory for a cache of " + std::to_string(capacity) +
                         " tokens; ask for a shorter text");
  }
}

void KVCache::truncate(int64_t length) {
  if (length < 0 || length > length_) {
    throw InferenceError("a cache of " + std::to_string(length_) + " tokens cannot be cut to " +
                         std::to_string(length));
  }
  length_ = length;
}

void KVCache::assign(Backend& backend, const KVCache& other, int64_t length) {
  if (length < 0 || length > other.length_ || length > capacity_) {
    throw InferenceError("a cache with room for " + std::to_string(capacity_) +
                         " tokens cannot take " + std::to_string(length) + " of one that holds " +
                         std::to_string(other.length_));
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    backend.copy_rows(*other.layers_[i].keys, 0, *layers_[i].keys, 0, length);
    backend.copy_rows(*other.layers_[i].values, 0, *layers_[i].values, 0, length);
  }
  length_ = length;
}

}  // namespace aios
