/// ByteLevel's alphabet: a printable character for each byte.
///
/// Printable bytes of Latin-1 stand for themselves, the others for U+0100 and up, in order
/// (https://github.com/openai/gpt-2/blob/master/src/encoder.py, `bytes_to_unicode`).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/aligned_text.h"

namespace aios::tokenizer {

[[nodiscard]] char32_t letter_of_byte(unsigned char byte) noexcept;

/// Appends `bytes` written in the alphabet.
void append_letters(std::string_view bytes, std::string& text);

/// The same for an aligned text: each letter comes from where its byte does.
void append_letters(const AlignedView& bytes, AlignedText& text);

/// The bytes that `text` writes, or nothing if a character is not in the alphabet.
[[nodiscard]] std::optional<std::string> bytes_of_letters(std::string_view text);

}  // namespace aios::tokenizer
