/// Python's methods of strings, as far as chat templates use them.
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/chat/builtins.h"

namespace aios::tokenizer::chat {

/// Both ends, or one, without the characters of `set`; without a set, without white space.
[[nodiscard]] std::string strip(std::string_view text, bool left, bool right,
                                const std::string* set = nullptr);
[[nodiscard]] std::string to_upper(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
/// The first character in capitals, all others small.
[[nodiscard]] std::string capitalize(std::string_view text);
/// @param count replacements at most; negative: all
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view old,
                                      std::string_view fresh, int64_t count);
[[nodiscard]] std::size_t num_characters(std::string_view text);
/// @throws TemplateProblem naming a method that is not supported
[[nodiscard]] Value call_text_method(const std::string& text, const std::string& name,
                                     const Arguments& arguments);

}  // namespace aios::tokenizer::chat
