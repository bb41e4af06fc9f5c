/// The sequences of one call, checked and laid end to end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/kv_cache.h"
#include "model/model_spec.h"

namespace aios {

/// One sequence of a call. With a cache, `token_ids` continue after the `cache->length()` tokens it
/// holds, and their keys and values are appended to it; or they are those from `replace_begin` on,
/// and replace the keys and values held of these: the tokens see all that the cache holds then.
struct SequenceInput {
  std::span<const int32_t> token_ids;
  KVCache* cache = nullptr;
  std::optional<int64_t> replace_begin = std::nullopt;

  /// Position of the first token in the whole sequence.
  [[nodiscard]] int64_t begin() const noexcept {
    return replace_begin.value_or(cache == nullptr ? 0 : cache->length());
  }
};

struct PackedBatch {
  std::vector<int32_t> token_ids;
  std::vector<int32_t> positions;
  std::vector<int32_t> starts;   // [sequences + 1]
  std::vector<KVCache*> caches;  // [sequences], null: none
  std::vector<int64_t> begins;   // [sequences], where in their caches they go

  [[nodiscard]] int64_t num_tokens() const noexcept { return std::ssize(token_ids); }
  [[nodiscard]] std::size_t num_sequences() const noexcept { return caches.size(); }
};

/// @throws InferenceError if there is no sequence, or one is empty, is longer than the context or
///         its cache, replaces what its cache does not hold, holds an id outside the vocabulary or
///         shares its cache with another
[[nodiscard]] PackedBatch pack(std::span<const SequenceInput> sequences, const ModelSpec& spec);

}  // namespace aios
