#include "cli/conversation.h"

#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

constexpr const char* kPlainTemplate =
    "{% for message in messages %}{{ message.role | capitalize }}: {{ message.content }}\n"
    "{% endfor %}Assistant:";

/// The special tokens that stand before every text.
std::string leading_text(const FastTokenizer& tokenizer) {
  const Encoding encoding = tokenizer.encode("a");
  std::string text;
  for (std::size_t i = 0; i < encoding.ids.size() && encoding.special_tokens_mask[i] != 0; ++i) {
    text += tokenizer.id_to_token(encoding.ids[i]).value_or("");
  }
  return text;
}

}  // namespace

std::string render_chat(const ChatTemplate& chat_template, std::span<const ChatMessage> messages,
                        const FastTokenizer& tokenizer) {
  std::string prompt = chat_template.render(messages);
  const std::string leading = leading_text(tokenizer);
  return prompt.starts_with(leading) ? prompt.substr(leading.size()) : prompt;
}

Conversation::Conversation(const ArrowEngine& engine, const std::string& model_directory,
                           std::string system)
    : engine_(engine),
      has_template_(ChatTemplate::exists(model_directory)),
      template_(has_template_ ? ChatTemplate::from_folder(model_directory)
                              : ChatTemplate::from_text(kPlainTemplate)),
      system_(std::move(system)) {}

std::string Conversation::render(std::span<const Turn> turns, const std::string& last) const {
  std::vector<ChatMessage> messages;
  if (!system_.empty()) messages.push_back({"system", system_});
  for (const Turn& turn : turns) {
    messages.push_back({"user", turn.message});
    messages.push_back({"assistant", turn.answer});
  }
  messages.push_back({"user", last});
  return render_chat(template_, messages, engine_.tokenizer());
}

std::string Conversation::prompt(const std::string& notes, const std::string& message,
                                 int32_t max_new_tokens) {
  while (true) {
    std::string prompt = render(turns_, notes + message);
    const auto num_tokens = std::ssize(engine_.tokenizer().encode(prompt).ids);
    if (num_tokens + max_new_tokens <= engine_.max_length()) return prompt;
    if (turns_.empty()) {
      throw InferenceError(
          "a message of " + std::to_string(num_tokens) +
          " tokens, with what stands before it, and " + std::to_string(max_new_tokens) +
          " for the answer do not fit the model's context of " +
          std::to_string(engine_.max_length()) + "; shorten it, or give a lower --max-new-tokens");
    }
    turns_.erase(turns_.begin());
  }
}

int32_t Conversation::room(const std::string& message, int32_t max_new_tokens) const {
  const auto ids = engine_.tokenizer().encode(render({}, message)).ids;
  return engine_.max_length() - max_new_tokens - static_cast<int32_t>(ids.size());
}

void Conversation::add(const std::string& message, const std::string& answer,
                       const std::string& memory_id) {
  turns_.push_back({message, answer, memory_id});
}

std::vector<std::string> Conversation::stop() const {
  if (has_template_) return {};
  return {"\nUser:", "\nAssistant:"};
}

std::vector<std::string> Conversation::memory_ids() const {
  std::vector<std::string> ids;
  for (const Turn& turn : turns_) {
    if (!turn.memory_id.empty()) ids.push_back(turn.memory_id);
  }
  return ids;
}

}  // namespace aios
