/// Keys and values of texts that were written, kept for a prompt that begins as one of them does:
/// the next turn of a chat, another question about the same page. Their tokens are not computed
/// again. Exact: a cached call gives the bits of an uncached one (model/kv_cache.h).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "model/inference_core.h"

namespace aios {

/// Tokens and, in this order, their keys and values.
struct CachedText {
  std::vector<int32_t> token_ids;  ///< as many as `cache` holds
  std::unique_ptr<KVCache> cache;
};

/// Safe to use from several threads.
class PrefixCaches {
 public:
  /// @param max_texts that are kept, the latest ones
  explicit PrefixCaches(std::size_t max_texts);

  /// The longest beginning of a prompt that is known, with room for `capacity` tokens. The prompt's
  /// last token is left out: its scores are still wanted. The caller owns the text until `keep`.
  /// @throws InferenceError if there is no memory for it, or it is beyond the context
  [[nodiscard]] CachedText take(const InferenceCore& core, std::span<const int32_t> prompt,
                                int64_t capacity);
  void keep(CachedText text) noexcept;

 private:
  std::mutex mutex_;
  std::size_t max_texts_;
  std::vector<CachedText> texts_;  // the latest last
};

}  // namespace aios
