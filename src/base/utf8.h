/// Whether bytes are UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace aios {

struct Utf8Prefix {
  std::size_t size;     ///< bytes of the longest valid beginning of a character
  std::size_t missing;  ///< bytes that it lacks; 0: a whole character
};

/// What of a character `bytes` (not empty) begins with; size 0: its first byte begins none.
/// The ranges are table 3-7 of the Unicode standard.
[[nodiscard]] Utf8Prefix read_utf8_prefix(std::string_view bytes) noexcept;

/// Offset of the first byte that begins no valid sequence, or `text.size()`.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text) noexcept;

}  // namespace aios
