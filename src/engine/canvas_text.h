/// From the ids of a canvas back to text.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "aios/tokenizer.h"

namespace aios {

/// What tokens [begin, end) add to the text of the tokens before them: a space may hang on a
/// neighbour (WordPiece, Metaspace), or half a character.
[[nodiscard]] std::string text_of_range(const FastTokenizer& tokenizer,
                                        std::span<const int32_t> token_ids, std::size_t begin,
                                        std::size_t end);

/// The text of a hole that follows the text `given`. Where the tokenizer
/// swallowed the white space at the end of `given`, the hole does not bring another space.
[[nodiscard]] std::string text_of_hole(const FastTokenizer& tokenizer,
                                       std::span<const int32_t> token_ids, std::size_t begin,
                                       std::size_t end, std::string_view given);

}  // namespace aios
