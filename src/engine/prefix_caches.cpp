#include "engine/prefix_caches.h"

#include <algorithm>
#include <utility>

namespace aios {
namespace {

std::size_t common_length(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

PrefixCaches::PrefixCaches(std::size_t max_texts) : max_texts_(max_texts) {
  texts_.reserve(max_texts);
}

CachedText PrefixCaches::take(const InferenceCore& core, std::span<const int32_t> prompt,
                              int64_t capacity) {
  const std::span<const int32_t> wanted = prompt.first(prompt.empty() ? 0 : prompt.size() - 1);
  const std::lock_guard lock(mutex_);
  std::size_t length = 0;
  auto best = texts_.begin();  // the oldest gives way
  for (auto text = texts_.begin(); text != texts_.end(); ++text) {
    const std::size_t common = common_length(text->token_ids, wanted);
    if (common > length) {
      length = common;
      best = text;
    }
  }
  const bool is_full = texts_.size() == max_texts_;
  if (best == texts_.end() || (length == 0 && !is_full)) {
    return {.token_ids = {}, .cache = core.make_cache(capacity)};
  }
  const std::span<const int32_t> known = wanted.first(length);
  if (length < best->token_ids.size() && !is_full) {  // there is room for both texts
    return {.token_ids = {known.begin(), known.end()},
            .cache = core.copy_cache(*best->cache, std::ssize(known), capacity)};
  }
  CachedText taken = std::move(*best);
  texts_.erase(best);
  taken.token_ids.resize(length);
  taken.cache->truncate(std::ssize(known));
  if (taken.cache->capacity() < capacity) {
    taken.cache = core.copy_cache(*taken.cache, std::ssize(known), capacity);
  }
  return taken;
}

void PrefixCaches::keep(CachedText text) noexcept {
  const std::lock_guard lock(mutex_);
  if (max_texts_ == 0 || text.cache == nullptr) return;
  if (texts_.size() == max_texts_) texts_.erase(texts_.begin());
  texts_.push_back(std::move(text));  // within what is reserved
}

}  // namespace aios
