/// A model's chat template, and where it comes from.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/chat/parser.h"

namespace aios::tokenizer::chat {

/// The source of a folder's template: chat_template.jinja, else "chat_template" of
/// tokenizer_config.json (a string, or a list of {"name", "template"} of which the one named
/// "default" is taken); nullopt if there is none.
/// @throws IoError, FormatError
[[nodiscard]] std::optional<std::string> read_template(const std::filesystem::path& folder);

/// What transformers' apply_chat_template writes for {"messages": […], "add_generation_prompt": …}
/// and other variables. @throws as `render`, `parse_template`
[[nodiscard]] std::string render_chat(const Statements& statements,
                                      const nlohmann::ordered_json& variables);

}  // namespace aios::tokenizer::chat
