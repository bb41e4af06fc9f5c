/// Normalizers that say character by character what becomes of a text.
#pragma once

#include <array>
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

/// Bytes of ASCII that stand for themselves, whatever their neighbours, and that only the character
/// behind them may change (a mark composes with the letter before it).
using InertBytes = std::array<bool, 256>;

template <typename Accept>
InertBytes inert_bytes(Accept accept) {
  InertBytes inert{};
  for (unsigned byte = 0; byte < 0x80; ++byte) inert[byte] = accept(byte);
  return inert;
}

/// A normalizer that is asked only for the parts of a text that it may change.
class ChangingNormalizer : public Normalizer {
 public:
  explicit ChangingNormalizer(const InertBytes& inert) : inert_(inert) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    return skip_inert(text, 0) == text.size();
  }
  void normalize(const AlignedView& input, AlignedText& output) const final;

 private:
  /// Appends what becomes of `text`; returns how many characters are dropped at its start.
  virtual std::size_t change(std::string_view text, std::vector<Change>& changes) const = 0;

  [[nodiscard]] bool is_inert(char byte) const noexcept {
    return inert_[static_cast<unsigned char>(byte)];
  }
  [[nodiscard]] std::size_t skip_inert(std::string_view text, std::size_t at) const noexcept {
    while (at < text.size() && is_inert(text[at])) ++at;
    return at;
  }
  [[nodiscard]] Span find_part(std::string_view text, std::size_t from) const noexcept;

  InertBytes inert_;
};

}  // namespace aios::tokenizer
