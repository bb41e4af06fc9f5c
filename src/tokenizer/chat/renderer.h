/// Runs the tree of a chat template.
#pragma once

#include <string>

#include "tokenizer/chat/parser.h"

namespace aios::tokenizer::chat {

/// @param context the variables that the template sees
/// @throws ConfigError with the template's own words if it calls `raise_exception`; FormatError
///         naming the line for what is not supported, does not fit the values, or goes on too long
[[nodiscard]] std::string render(const Statements& statements, Dictionary context);

}  // namespace aios::tokenizer::chat
