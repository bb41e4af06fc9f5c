/// Bytes as text, RFC 4648 §4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aios::tokenizer {

/// What follows a '=' is ignored; nullopt for any other character outside the alphabet.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace aios::tokenizer
