/// Normalizers that say character by character what becomes of a text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tokenizer/aligned_text.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {

/// Drops the characters that `drop` names; returns how many were dropped at the start.
template <typename Drop>
std::size_t filter_changes(std::string_view text, std::vector<Change>& changes, Drop drop) {
  changes.clear();
  std::size_t dropped_at_start = 0;
  for_each_character(text, [&](char32_t c) {
    if (!drop(c)) {
      changes.push_back({c, 0});
    } else if (changes.empty()) {
      ++dropped_at_start;
    } else {
      --changes.back().shift;
    }
  });
  return dropped_at_start;
}

class ChangingNormalizer : public Normalizer {
 public:
  void normalize(const AlignedView& input, AlignedText& output) const final {
    if (keeps(input.text())) return output.append(input);
    AlignedText text(input);
    std::vector<Change> changes;
    const std::size_t dropped = change(input.text(), changes);
    text.transform(changes, dropped);
    output.append(text.view());
  }

 private:
  /// Appends what becomes of `text`; returns how many characters are dropped at its start.
  virtual std::size_t change(std::string_view text, std::vector<Change>& changes) const = 0;
};

}  // namespace aios::tokenizer
