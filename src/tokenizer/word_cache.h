/// The tokens of words seen before. One thread's own: no locks.
///
/// Two entries of 64 bytes to a place: a new word takes the first, and what was there the second,
/// so that the size never grows: 1 MiB, half of a second-level cache. Long words, and words of many
/// tokens, are not kept.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/hash_bytes.h"
#include "tokenizer/model.h"

namespace aios::tokenizer {

class WordCache {
 public:
  WordCache();
  /// Appends the tokens of `word` if they are known.
  bool find(std::string_view word, std::vector<WordToken>& tokens) const noexcept;
  /// Remembers the tokens from `first` on as those of `word`, if they fit.
  void insert(std::string_view word, const std::vector<WordToken>& tokens,
              std::size_t first) noexcept;

 private:
  static constexpr std::size_t kEntries = std::size_t{1} << 14U;
  static constexpr std::size_t kWordBytes = 30;
  static constexpr std::size_t kTokens = 6;

  struct Entry {
    std::array<int32_t, kTokens> ids;
    std::array<uint8_t, kTokens> ends;
    uint8_t word_size;  // 0: empty
    uint8_t num_tokens;
    std::array<char, kWordBytes> word;
  };
  static_assert(sizeof(Entry) == 64);

  struct Free {
    void operator()(Entry* entries) const noexcept { std::free(entries); }
  };

  static bool holds(const Entry& entry, std::string_view word) noexcept {
    return entry.word_size == word.size() &&
           equal_bytes(entry.word.data(), word.data(), word.size());
  }
  /// The first of two entries.
  [[nodiscard]] Entry* place(std::string_view word) const noexcept {
    return entries_.get() + hash_bytes(word) % (kEntries / 2) * 2;
  }

  std::unique_ptr<Entry[], Free> entries_;
};

}  // namespace aios::tokenizer
