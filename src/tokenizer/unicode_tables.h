/// What the stages need to know of a character, exactly as Hugging Face's stages know it.
///
/// Their libraries follow several versions of Unicode; tools/tokenizer_unicode_tables.py asked each
/// of them and wrote unicode_data.inc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::tokenizer {

/// Bits of `character_flags`.
enum CharacterFlag : uint8_t {
  kWhiteSpaceFlag = 1U << 0U,
  kBertRemovedFlag = 1U << 1U,      ///< clean_text of BertNormalizer drops it
  kBertPunctuationFlag = 1U << 2U,  ///< BertPreTokenizer isolates it
  kNonspacingMarkFlag = 1U << 3U,   ///< strip_accents drops it after NFD
  kDecomposesFlag = 1U << 4U,       ///< has a canonical decomposition
  kCombiningFlag = 1U << 5U,        ///< combining class other than 0
  kNfcUncertainFlag = 1U << 6U,     ///< a text without such characters is in NFC
};

[[nodiscard]] uint8_t character_flags(char32_t code_point) noexcept;

[[nodiscard]] inline bool has_flag(char32_t code_point, CharacterFlag flag) noexcept {
  return (character_flags(code_point) & flag) != 0;
}

/// `\w` of Rust's regex crate, which decides what a single_word added token may touch.
[[nodiscard]] bool is_word_character(char32_t code_point) noexcept;

/// Canonical combining class, as of Unicode 9.
[[nodiscard]] uint8_t combining_class(char32_t code_point) noexcept;

/// A full canonical decomposition, as of Unicode 9; a character that has none is its own.
struct Decomposition {
  char32_t characters[4];
  int size;
};
[[nodiscard]] Decomposition decompose(char32_t code_point) noexcept;

/// The primary composite of two characters, as of Unicode 9; 0 if there is none.
[[nodiscard]] char32_t compose(char32_t first, char32_t second) noexcept;

/// Lower case as Rust's `char::to_lowercase`; a second character follows only U+0130.
struct LowerCase {
  char32_t first;
  char32_t second;  ///< 0: none
};
[[nodiscard]] LowerCase to_lower(char32_t code_point) noexcept;

/// Members of general category `name` ("L", "Nd", …) that PCRE2 may not have yet, as the inside of
/// a PCRE2 character class; may be empty.
[[nodiscard]] std::string later_members(std::string_view name);

}  // namespace aios::tokenizer
