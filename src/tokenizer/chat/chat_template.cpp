#include "tokenizer/chat/chat_template.h"

#include <memory>
#include <utility>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "tokenizer/chat/renderer.h"
#include "tokenizer/file_limits.h"
#include "tokenizer/formats/folder_config.h"
#include "tokenizer/json_node.h"

namespace aios {
namespace tokenizer::chat {

std::optional<std::string> read_template(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "chat_template.jinja";
  if (std::filesystem::exists(file)) return read_text_file(file.string(), kMaxConfigBytes);
  const FolderConfig config(folder);
  const auto entry = config.root().find("chat_template");
  if (!entry) return std::nullopt;
  if (entry->is_string()) return entry->as_string();
  for (const JsonNode& named : entry->elements()) {
    if (named.at("name").as_string() == "default") return named.at("template").as_string();
  }
  entry->fail("none of the templates is named \"default\"");
}

std::string render_chat(const Statements& statements, const nlohmann::ordered_json& variables) {
  Dictionary context;
  for (const auto& [name, value] : variables.items()) {
    context.emplace_back(name, Value::from_json(value));
  }
  return render(statements, std::move(context));
}

}  // namespace tokenizer::chat

struct ChatTemplate::Implementation {
  tokenizer::chat::Statements statements;
  nlohmann::ordered_json variables;  // bos_token and its like, for all conversations
};

ChatTemplate::ChatTemplate(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

bool ChatTemplate::exists(const std::string& folder) {
  return tokenizer::chat::read_template(folder).has_value();
}

ChatTemplate ChatTemplate::from_folder(const std::string& folder) {
  const auto source = tokenizer::chat::read_template(folder);
  if (!source) {
    throw FormatError("'" + folder +
                      "' has no chat template: it needs chat_template.jinja, or "
                      "chat_template in tokenizer_config.json");
  }
  ChatTemplate result = from_text(*source);
  const tokenizer::FolderConfig config{std::filesystem::path(folder)};
  for (const char* role : {"bos_token", "eos_token", "unk_token", "pad_token", "sep_token",
                           "cls_token", "mask_token"}) {
    if (const std::string token = config.role(role, ""); !token.empty()) {
      result.implementation_->variables[role] = token;
    }
  }
  return result;
}

ChatTemplate ChatTemplate::from_text(std::string_view source) {
  constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20U;
  if (source.size() > kMaxTemplateBytes) throw FormatError("a chat template has over 1 MiB");
  if (const std::size_t bad = find_invalid_utf8(source); bad < source.size()) {
    throw FormatError("a chat template is not UTF-8 at byte " + std::to_string(bad));
  }
  // transformers gives these always.
  nlohmann::ordered_json variables = {{"tools", nullptr}, {"documents", nullptr}};
  return ChatTemplate(std::make_unique<Implementation>(
      Implementation{tokenizer::chat::parse_template(source), std::move(variables)}));
}

std::string ChatTemplate::render(std::span<const ChatMessage> messages,
                                 bool add_generation_prompt) const {
  nlohmann::ordered_json variables = implementation_->variables;
  variables["messages"] = nlohmann::ordered_json::array();
  for (const ChatMessage& message : messages) {
    if (find_invalid_utf8(message.content) < message.content.size()) {
      throw TokenizerError("a chat message is not UTF-8");
    }
    variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  variables["add_generation_prompt"] = add_generation_prompt;
  return tokenizer::chat::render_chat(implementation_->statements, variables);
}

std::string ChatTemplate::render_json(const std::string& variables) const {
  auto merged = implementation_->variables;
  const auto given = nlohmann::ordered_json::parse(variables, nullptr, false);
  if (!given.is_object()) throw ConfigError("a chat's variables are no JSON object");
  for (const auto& [name, value] : given.items()) merged[name] = value;
  return tokenizer::chat::render_chat(implementation_->statements, merged);
}

}  // namespace aios
