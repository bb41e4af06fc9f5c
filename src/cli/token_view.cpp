#include "cli/token_view.h"

#include <cstdlib>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace aios {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kSpecial = "\x1b[2m";  // dim
// Black on green, yellow, magenta, cyan: readable on dark and on light terminals.
constexpr std::string_view kBackgrounds[] = {"\x1b[30;42m", "\x1b[30;43m", "\x1b[30;45m",
                                             "\x1b[30;46m"};
constexpr std::string_view kBar = "\u2502";
constexpr std::string_view kPartOfCharacter = "\u00b7";
constexpr std::string_view kReturnSign = "\u21b5";

std::string printable(std::string_view text) {
  std::string line;
  for (const Glyph& glyph : to_glyphs(text)) {
    line += glyph.text == "\n" ? kReturnSign : std::string_view(glyph.text);
  }
  return line;
}

}  // namespace

bool output_has_colors() noexcept {
  const char* no_color = std::getenv("NO_COLOR");
  return stdout_is_terminal() && (no_color == nullptr || *no_color == '\0');
}

std::string show_tokens(const FastTokenizer& tokenizer, std::span<const int32_t> ids, bool colors) {
  StreamingDecoder decoder(tokenizer, false);
  std::string line;
  std::size_t next_background = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::string text = decoder.push(ids[i]);
    if (i + 1 == ids.size()) text += decoder.finish();
    const std::string shown = text.empty() ? std::string(kPartOfCharacter) : printable(text);
    if (!colors) {
      line.append(i == 0 ? "" : kBar).append(shown);
      continue;
    }
    const bool special = tokenizer.is_special(ids[i]);
    line += special ? kSpecial : kBackgrounds[next_background++ % std::size(kBackgrounds)];
    line.append(shown).append(kReset);
  }
  return line + "\n";
}

}  // namespace aios
