/// What the stages need to know of a character, exactly as Hugging Face's stages know it.
///
/// Their libraries follow several versions of Unicode; tools/tokenizer_unicode_tables.py and
/// tools/make_tokenizer_tables.py asked each of them and wrote unicode_data.inc and stage_data.inc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::tokenizer {

/// Bits of `character_flags`.
enum CharacterFlag : uint16_t {
  kWhiteSpaceFlag = 1U << 0U,
  kBertRemovedFlag = 1U << 1U,      ///< clean_text of BertNormalizer drops it
  kBertPunctuationFlag = 1U << 2U,  ///< BertPreTokenizer isolates it
  kNonspacingMarkFlag = 1U << 3U,   ///< strip_accents drops it after NFD
  kDecomposesFlag = 1U << 4U,       ///< has a canonical decomposition
  kCombiningFlag = 1U << 5U,        ///< combining class other than 0
  kNfcUncertainFlag = 1U << 6U,     ///< a text without such characters is in NFC
  kCompatibilityFlag = 1U << 7U,    ///< NFKD changes it
  kCombiningMarkFlag = 1U << 8U,    ///< StripAccents drops it
  kNumericFlag = 1U << 9U,          ///< Digits looks for it
  kWordFlag = 1U << 10U,            ///< `\w` of Rust's regex crate
  kExtendsFlag = 1U << 11U,         ///< begins no grapheme, but behind a control
  kControlFlag = 1U << 12U,         ///< a grapheme of its own
};

[[nodiscard]] uint16_t character_flags(char32_t code_point) noexcept;

[[nodiscard]] inline bool has_flag(char32_t code_point, CharacterFlag flag) noexcept {
  return (character_flags(code_point) & flag) != 0;
}

/// Canonical combining class, as of Unicode 9.
[[nodiscard]] uint8_t combining_class(char32_t code_point) noexcept;

/// A full canonical decomposition, as of Unicode 9; a character that has none is its own.
struct Decomposition {
  char32_t characters[4];
  int size;
};
[[nodiscard]] Decomposition decompose(char32_t code_point) noexcept;

/// A full compatibility decomposition, as of Unicode 9: fills the front of `characters` and returns
/// their number.
inline constexpr std::size_t kMaxDecomposition = 18;
int decompose_compatibly(char32_t code_point,
                         std::array<char32_t, kMaxDecomposition>& characters) noexcept;

/// The primary composite of two characters, as of Unicode 9; 0 if there is none.
[[nodiscard]] char32_t compose(char32_t first, char32_t second) noexcept;

/// Lower case as Rust's `char::to_lowercase`; a second character follows only U+0130.
struct LowerCase {
  char32_t first;
  char32_t second;  ///< 0: none
};
[[nodiscard]] LowerCase to_lower(char32_t code_point) noexcept;

/// Classes of UAX 29 that flags do not tell: what joins with what across a border.
enum class GraphemeClass : uint8_t {
  kOther,
  kPrepend,
  kPictograph,
  kConsonant,
  kLinker,
  kConjunctBreaker,  ///< extends a grapheme, but no conjunct
};
[[nodiscard]] GraphemeClass grapheme_class(char32_t code_point) noexcept;

/// Bits of `split_class`: general categories as Oniguruma has them, and white space.
enum SplitClass : uint8_t {
  kLetterClass = 1U << 0U,  ///< L
  kNumberClass = 1U << 1U,  ///< N
  kSpaceClass = 1U << 2U,   ///< White_Space
  kUpperClass = 1U << 3U,   ///< Lu, Lt, Lm, Lo, M
  kLowerClass = 1U << 4U,   ///< Ll, Lm, Lo, M
};
[[nodiscard]] uint8_t split_class_beyond_ascii(char32_t code_point) noexcept;

inline constexpr std::array<uint8_t, 128> kAsciiSplitClasses = [] {
  std::array<uint8_t, 128> classes{};
  for (std::size_t c = 'A'; c <= 'Z'; ++c) classes[c] = kLetterClass | kUpperClass;
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = kLetterClass | kLowerClass;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kNumberClass;
  for (const std::size_t c : {9U, 10U, 11U, 12U, 13U, 32U}) classes[c] = kSpaceClass;
  return classes;
}();

[[nodiscard]] inline uint8_t split_class(char32_t code_point) noexcept {
  return code_point < kAsciiSplitClasses.size() ? kAsciiSplitClasses[code_point]
                                                : split_class_beyond_ascii(code_point);
}

/// General category as Oniguruma has it: "Lu", "Nd", …
[[nodiscard]] std::string_view general_category(char32_t code_point) noexcept;

/// `\w` of Oniguruma.
[[nodiscard]] bool is_oniguruma_word(char32_t code_point) noexcept;

/// The class that UnicodeScripts compares; 0 joins with what is before it.
[[nodiscard]] uint16_t split_script(char32_t code_point) noexcept;

struct CodePointRange {
  char32_t first, last;
};
/// A script as Oniguruma has it; empty if the table lacks it.
[[nodiscard]] std::vector<CodePointRange> script_ranges(std::string_view name);

/// Members of general category `name` ("L", "Nd", …) that PCRE2 may not have yet, as the inside of
/// a PCRE2 character class; may be empty.
[[nodiscard]] std::string later_members(std::string_view name);

}  // namespace aios::tokenizer
