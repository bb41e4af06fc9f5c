/// Token ids as a reader sees them: the text of each token, set off from its neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "aios/tokenizer.h"

namespace aios {

/// Whether standard output is a terminal, and its user has not asked for no colours
/// (https://no-color.org: NO_COLOR is set and not empty).
[[nodiscard]] bool output_has_colors() noexcept;

/// One line. Each token is the text that it adds when all are decoded one after another, special
/// ones by their names; one that only begins a character is a middle dot. With colours, each has
/// the next of a few backgrounds, special tokens are dim; without, a bar parts them. What could
/// command the terminal is U+FFFD, a line feed a return sign.
[[nodiscard]] std::string show_tokens(const FastTokenizer& tokenizer, std::span<const int32_t> ids,
                                      bool colors);

}  // namespace aios
