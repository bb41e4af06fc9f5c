#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

namespace aios {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_control(utf8proc_int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace

bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }
bool stdout_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) == 1; }

TerminalSize terminal_size() noexcept {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

std::vector<Glyph> to_glyphs(std::string_view text) {
  std::vector<Glyph> glyphs;
  while (!text.empty()) {
    utf8proc_int32_t character = -1;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    const auto size = static_cast<utf8proc_ssize_t>(text.size());
    const utf8proc_ssize_t count = utf8proc_iterate(bytes, size, &character);
    const std::string_view own = text.substr(0, count > 0 ? static_cast<std::size_t>(count) : 1);
    text.remove_prefix(own.size());
    if (character == '\n') {
      glyphs.push_back({"\n", 0});
    } else if (character == '\t') {
      glyphs.push_back({" ", 1});
    } else if (count <= 0 || is_control(character)) {
      glyphs.push_back({std::string(kReplacement), 1});
    } else {
      const int width = utf8proc_charwidth(character);
      const bool joins = width <= 0 && !glyphs.empty() && glyphs.back().text != "\n";
      if (joins) {
        glyphs.back().text += own;
      } else {
        glyphs.push_back({std::string(own), width > 0 ? static_cast<std::size_t>(width) : 0});
      }
    }
  }
  return glyphs;
}

}  // namespace aios
