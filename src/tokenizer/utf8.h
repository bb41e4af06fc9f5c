/// UTF-8: decoding, and repair of what a model emits.
///
/// Texts are checked once, at the border (base/utf8.h); inside the room every string is valid
/// UTF-8, and NUL is a character like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios::tokenizer {

struct Character {
  char32_t code_point;
  uint32_t size;  ///< bytes
};

[[nodiscard]] constexpr bool is_ascii(char byte) noexcept {
  return static_cast<unsigned char>(byte) < 0x80;
}
[[nodiscard]] constexpr bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}
/// Bytes of the character that `lead` begins. Valid UTF-8 only.
[[nodiscard]] constexpr uint32_t utf8_size(char lead) noexcept {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
/// The character at `text`. Valid UTF-8 only.
[[nodiscard]] inline Character decode_utf8(const char* text) noexcept {
  const auto at = [&](int i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const auto low = [&](int i) { return at(i) & 0x3FU; };
  const char32_t lead = at(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1FU) << 6U | low(1), 2};
  if (lead < 0xF0) return {(lead & 0x0FU) << 12U | low(1) << 6U | low(2), 3};
  return {(lead & 0x07U) << 18U | low(1) << 12U | low(2) << 6U | low(3), 4};
}
void append_utf8(char32_t code_point, std::string& text);

/// The code points of a text, in a range-for. Valid UTF-8 only.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = decode_utf8(text.data() + at);
    visit(character.code_point);
    at += character.size;
  }
}

/// Bytes to text: what is invalid becomes U+FFFD, one for each maximal part of a character (Unicode
/// 15, §3.9 "best practice"; the same as Rust's `from_utf8_lossy` and Python's `replace`). Bytes
/// may come in any portions.
class Utf8Repair {
 public:
  /// Appends the characters that `bytes` completed.
  void push(std::string_view bytes, std::string& text);
  /// An unfinished character becomes U+FFFD.
  void finish(std::string& text);

 private:
  std::string pending_;
};

}  // namespace aios::tokenizer
