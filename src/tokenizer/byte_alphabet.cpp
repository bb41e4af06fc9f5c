#include "tokenizer/byte_alphabet.h"

#include <array>

#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr char32_t kFirstShifted = 0x100;

constexpr bool is_printable(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Tables {
  std::array<char32_t, 256> letter{};
  std::array<int16_t, 512> byte{};  // -1: no letter

  constexpr Tables() {
    byte.fill(-1);
    char32_t shifted = kFirstShifted;
    for (unsigned b = 0; b < 256; ++b) {
      letter[b] = is_printable(b) ? b : shifted++;
      byte[letter[b]] = static_cast<int16_t>(b);
    }
  }
};

constexpr Tables kTables;

}  // namespace

char32_t letter_of_byte(unsigned char byte) noexcept { return kTables.letter[byte]; }

void append_letters(std::string_view bytes, std::string& text) {
  for (const char byte : bytes) append_utf8(letter_of_byte(static_cast<unsigned char>(byte)), text);
}

void append_letters(const AlignedView& bytes, AlignedText& text) {
  Origin origin = 0;
  for (std::size_t at = 0; at < bytes.text().size(); ++at) {
    if (!is_continuation(bytes.text()[at])) origin = bytes.origin(at);
    text.append(letter_of_byte(static_cast<unsigned char>(bytes.text()[at])), origin);
  }
}

std::optional<std::string> bytes_of_letters(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const Character letter = decode_utf8(text.data() + at);
    if (letter.code_point >= kTables.byte.size()) return std::nullopt;
    const int16_t byte = kTables.byte[letter.code_point];
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
    at += letter.size;
  }
  return bytes;
}

}  // namespace aios::tokenizer
