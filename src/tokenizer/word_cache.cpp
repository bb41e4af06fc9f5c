#include "tokenizer/word_cache.h"

#include <cstring>
#include <new>

namespace aios::tokenizer {

// calloc hands out pages that the system zeroes when they are first touched, so that a short text
// does not pay for the whole cache.
WordCache::WordCache() : entries_(static_cast<Entry*>(std::calloc(kEntries, sizeof(Entry)))) {
  if (!entries_) throw std::bad_alloc();
}

bool WordCache::find(std::string_view word, std::vector<WordToken>& tokens) const noexcept {
  if (word.size() > kWordBytes) return false;
  const Entry* const pair = place(word);
  const bool is_second = !holds(pair[0], word);
  if (is_second && !holds(pair[1], word)) return false;
  const Entry& entry = pair[is_second ? 1 : 0];
  for (std::size_t i = 0; i < entry.num_tokens; ++i) {
    const uint32_t begin = i == 0 ? 0 : entry.ends[i - 1];
    tokens.push_back({entry.ids[i], begin, entry.ends[i]});
  }
  return true;
}

void WordCache::insert(std::string_view word, const std::vector<WordToken>& tokens,
                       std::size_t first) noexcept {
  const std::size_t count = tokens.size() - first;
  if (word.size() > kWordBytes || count > kTokens) return;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (tokens[i].begin != (i == first ? 0 : tokens[i - 1].end)) return;
  }
  Entry* const pair = place(word);
  pair[1] = pair[0];
  Entry& entry = pair[0];
  entry.word_size = static_cast<uint8_t>(word.size());
  entry.num_tokens = static_cast<uint8_t>(count);
  std::memcpy(entry.word.data(), word.data(), word.size());
  for (std::size_t i = 0; i < count; ++i) {
    entry.ids[i] = tokens[first + i].id;
    entry.ends[i] = static_cast<uint8_t>(tokens[first + i].end);
  }
}

}  // namespace aios::tokenizer
