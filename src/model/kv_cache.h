/// Keys and values of one sequence's tokens so far, in all layers.
///
/// Made by `InferenceCore::make_cache`, filled by calls that name it in a `SequenceInput`, and
/// opaque otherwise. One cache belongs to one sequence of one call at a time; different caches may
/// be used from different threads. A call that throws leaves its length as it was; what the call
/// was to replace is then undefined.
///
/// Under causal attention a cached call gives the same bits as the whole sequence at once. Under
/// block-causal attention so it does when every call ends on a border of blocks. Under full
/// attention what is cached never sees later tokens: an approximation that the caller chooses.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"

namespace aios {

class KVCache {
 public:
  /// Allocates room for `capacity` tokens. @throws InferenceError if there is no memory for it
  KVCache(Backend& backend, int64_t num_layers, int64_t row_size, int64_t capacity);

  [[nodiscard]] int64_t length() const noexcept { return length_; }  ///< tokens held
  [[nodiscard]] int64_t capacity() const noexcept { return capacity_; }
  /// Forgets all but the first `length` tokens.
  /// @throws InferenceError if it holds fewer
  void truncate(int64_t length);
  /// Becomes the first `length` tokens of another cache of the same network.
  /// @throws InferenceError if that holds fewer, or there is no room
  void assign(Backend& backend, const KVCache& other, int64_t length);

 private:
  friend class Transformer;
  struct Layer {
    BufferPtr keys;    // [capacity, num_key_value_heads * head_dim]
    BufferPtr values;  // the same
  };
  std::vector<Layer> layers_;
  int64_t length_ = 0;
  int64_t capacity_ = 0;
};

}  // namespace aios
