/// Unicode normalization forms with alignment.
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/aligned_text.h"

namespace aios::tokenizer {

/// Replaces `changes` by those that turn `text` into its canonical decomposition (NFD).
void decompose_canonically(std::string_view text, std::vector<Change>& changes);

/// Replaces `changes` by those that turn `text` into its canonical composition (NFC).
void compose_canonically(std::string_view text, std::vector<Change>& changes);

/// The same with compatibility decomposition (NFKD, NFKC).
void decompose_compatibly(std::string_view text, std::vector<Change>& changes);
void compose_compatibly(std::string_view text, std::vector<Change>& changes);

/// Whether a quick look proves `text` to be in that form already.
[[nodiscard]] bool is_surely_nfc(std::string_view text) noexcept;
[[nodiscard]] bool is_surely_nfd(std::string_view text) noexcept;
[[nodiscard]] bool is_surely_nfkc(std::string_view text) noexcept;
[[nodiscard]] bool is_surely_nfkd(std::string_view text) noexcept;

}  // namespace aios::tokenizer
