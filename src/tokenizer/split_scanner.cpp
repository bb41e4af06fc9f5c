#include "tokenizer/split_scanner.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr uint8_t kUpperOrLower = kUpperClass | kLowerClass;

/// The character at a place, with its class; none at the end of the text.
struct Here {
  char32_t code_point = 0;
  uint32_t size = 0;
  uint8_t kind = 0;  // bits of SplitClass

  [[nodiscard]] bool is(uint8_t classes) const noexcept { return (kind & classes) != 0; }
  /// [^\s\p{L}\p{N}]
  [[nodiscard]] bool is_other() const noexcept {
    return size > 0 && !is(kLetterClass | kNumberClass | kSpaceClass);
  }
  [[nodiscard]] bool is_line_end() const noexcept {
    return code_point == U'\r' || code_point == U'\n';
  }
  /// [^\r\n\p{L}\p{N}]
  [[nodiscard]] bool may_precede_word() const noexcept {
    return size > 0 && !is(kLetterClass | kNumberClass) && !is_line_end();
  }
};

inline Here look(std::string_view text, uint32_t at) noexcept {
  if (at >= text.size()) return {};
  const Character character = decode_utf8(text.data() + at);
  return {character.code_point, character.size, split_class(character.code_point)};
}

template <typename Accept>
uint32_t skip_while(std::string_view text, uint32_t at, Accept accept) noexcept {
  for (Here here = look(text, at); here.size > 0 && accept(here); here = look(text, at)) {
    at += here.size;
  }
  return at;
}

/// Over characters of ASCII of some classes: most words are nothing else.
inline uint32_t skip_ascii(std::string_view text, uint32_t at, uint8_t classes) noexcept {
  while (at < text.size() && is_ascii(text[at]) &&
         (kAsciiSplitClasses[static_cast<std::size_t>(text[at])] & classes) != 0) {
    ++at;
  }
  return at;
}

uint32_t skip_class(std::string_view text, uint32_t at, uint8_t classes) noexcept {
  at = skip_ascii(text, at, classes);
  if (at == text.size() || is_ascii(text[at])) return at;
  return skip_while(text, at, [=](const Here& here) { return here.is(classes); });
}

uint32_t skip_other(std::string_view text, uint32_t at) noexcept {
  return skip_while(text, at, [](const Here& here) { return here.is_other(); });
}

uint32_t skip_bytes(std::string_view text, uint32_t at, std::string_view bytes) noexcept {
  while (at < text.size() && bytes.find(text[at]) != std::string_view::npos) ++at;
  return at;
}

char lower(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

/// Behind 's|'t|'re|'ve|'m|'ll|'d, or `at` itself. Without case, U+017F is an s as well.
template <bool ignore_case>
uint32_t skip_contraction(std::string_view text, uint32_t at) noexcept {
  const std::string_view rest = text.substr(at, 3);
  if (rest.size() < 2 || rest[0] != '\'') return at;
  if (ignore_case && rest == "'\u017F") return at + 3;
  const auto byte = [&](std::size_t i) {
    if (i >= rest.size()) return '\0';
    return ignore_case ? lower(rest[i]) : rest[i];
  };
  const char first = byte(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  const char second = byte(2);
  const bool is_long =
      ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
  return is_long ? at + 3 : at;
}

/// \s+(?!\S)|\s+ : white space but for a last character before a word.
uint32_t scan_spaces(std::string_view text, uint32_t from) noexcept {
  uint32_t last = from;
  uint32_t end = from;
  for (Here here = look(text, end); here.is(kSpaceClass); here = look(text, end)) {
    last = end;
    end += here.size;
  }
  return end == text.size() || last == from ? end : last;
}

/// \s*[\r\n]+|\s+(?!\S)|\s+
uint32_t scan_lines(std::string_view text, uint32_t from) noexcept {
  uint32_t last = from;
  uint32_t end = from;
  uint32_t line_end = from;
  for (Here here = look(text, end); here.is(kSpaceClass); here = look(text, end)) {
    last = end;
    end += here.size;
    if (here.is_line_end()) line_end = end;
  }
  if (line_end > from) return line_end;
  return end == text.size() || last == from ? end : last;
}

uint32_t scan_numbers(std::string_view text, uint32_t at, int max_digits) noexcept {
  for (int i = 0; i < max_digits; ++i) {
    const Here here = look(text, at);
    if (!here.is(kNumberClass)) break;
    at += here.size;
  }
  return at;
}

/// \p{N}{1,max_digits}| ?[^\s\p{L}\p{N}]+[\r\n…]*|\s*[\r\n]+|\s+(?!\S)|\s+
uint32_t scan_rest(std::string_view text, uint32_t from, const Here& first, int max_digits,
                   std::string_view behind_others) noexcept {
  if (first.is(kNumberClass)) return scan_numbers(text, from, max_digits);
  const uint32_t at = from + (first.code_point == U' ' ? 1 : 0);
  if (look(text, at).is_other()) return skip_bytes(text, skip_other(text, at), behind_others);
  return scan_lines(text, from);
}

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+| and `scan_rest`.
template <int max_digits>
uint32_t scan_llama3(std::string_view text, uint32_t from) noexcept {
  const Here first = look(text, from);
  if (first.code_point == U'\'') {
    if (const uint32_t end = skip_contraction<true>(text, from); end > from) return end;
  }
  if (first.is(kLetterClass)) return skip_class(text, from + first.size, kLetterClass);
  if (first.may_precede_word()) {
    const uint32_t end = skip_class(text, from + first.size, kLetterClass);
    if (end > from + first.size) return end;
  }
  return scan_rest(text, from, first, max_digits, "\r\n");
}

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ , or `from` if that does not match.
uint32_t scan_lower_word(std::string_view text, uint32_t from) noexcept {
  uint32_t at = from;
  uint32_t behind_lower = from;  // behind the last character that may be lower case
  for (Here here = look(text, at); here.is(kUpperClass); here = look(text, at)) {
    at += here.size;
    if (here.is(kLowerClass)) behind_lower = at;
  }
  const uint32_t end = skip_class(text, at, kLowerClass);
  return end > at ? end : behind_lower;
}

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* , or `from` if that does not match.
uint32_t scan_upper_word(std::string_view text, uint32_t from) noexcept {
  const uint32_t at = skip_class(text, from, kUpperClass);
  return at > from ? skip_class(text, at, kLowerClass) : from;
}

/// A word of either kind, behind an optional character, before an optional contraction; and
/// `scan_rest`.
uint32_t scan_o200k(std::string_view text, uint32_t from) noexcept {
  const Here first = look(text, from);
  for (const auto scan_word : {scan_lower_word, scan_upper_word}) {
    if (first.may_precede_word()) {
      const uint32_t begin = from + first.size;
      const uint32_t end = scan_word(text, begin);
      if (end > begin) return skip_contraction<true>(text, end);
    }
    if (first.is(kUpperOrLower)) {
      const uint32_t end = scan_word(text, from);
      if (end > from) return skip_contraction<true>(text, end);
    }
  }
  return scan_rest(text, from, first, 3, "\r\n/");
}

}  // namespace

uint32_t scan_gpt2(std::string_view text, uint32_t from) noexcept {
  if (text[from] == '\'') {
    if (const uint32_t end = skip_contraction<false>(text, from); end > from) return end;
  }
  const uint32_t at = from + (text[from] == ' ' ? 1 : 0);
  const Here here = look(text, at);
  if (here.is(kLetterClass)) return skip_class(text, at + here.size, kLetterClass);
  if (here.is(kNumberClass)) return skip_class(text, at + here.size, kNumberClass);
  if (here.is_other()) return skip_other(text, at + here.size);
  return scan_spaces(text, from);
}

const std::array<ScannedPattern, 4>& scanned_patterns() noexcept {
  static constexpr std::array<ScannedPattern, 4> kPatterns = {{
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", scan_gpt2},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
       R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       scan_llama3<3>},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
       R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       scan_llama3<1>},
      {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
       R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
       R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       scan_o200k},
  }};
  return kPatterns;
}

SplitScanner find_scanner(std::string_view expression) noexcept {
  for (const ScannedPattern& pattern : scanned_patterns()) {
    if (pattern.expression == expression) return pattern.scan;
  }
  return nullptr;
}

}  // namespace aios::tokenizer
