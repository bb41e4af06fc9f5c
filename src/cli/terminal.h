/// The terminal behind standard error: where progress and the canvas are shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

[[nodiscard]] bool stderr_is_terminal() noexcept;
[[nodiscard]] bool stdout_is_terminal() noexcept;

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
/// 80 x 24 where the terminal does not say.
[[nodiscard]] TerminalSize terminal_size() noexcept;

/// A piece of a line: what to write, and how many columns it takes.
struct Glyph {
  std::string text;
  std::size_t width = 1;
};

/// Text as glyphs: combining marks join the character before them, a line feed stays alone (width
/// 0), tabs are a space, and what could command the terminal (other controls) is U+FFFD.
[[nodiscard]] std::vector<Glyph> to_glyphs(std::string_view text);

}  // namespace aios
