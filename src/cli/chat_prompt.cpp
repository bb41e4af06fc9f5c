#include "cli/chat_prompt.h"

#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "cli/conversation.h"
#include "cli/text_input.h"

namespace aios {

void ChatPrompt::add_to(CLI::App& command) {
  command.add_flag("--chat", chat_, "the text is a user's message, for the model's chat template");
  command.add_option("--system", system_, "with --chat: a system message before it")
      ->type_name("TEXT");
}

std::string ChatPrompt::of(const std::string& text, const std::string& model_directory,
                           const ArrowEngine& engine) const {
  if (!chat_) {
    if (!system_.empty()) throw ConfigError("--system wants --chat");
    return text;
  }
  check_utf8(system_, "--system");
  std::vector<ChatMessage> messages;
  if (!system_.empty()) messages.push_back({"system", system_});
  messages.push_back({"user", text});
  return render_chat(ChatTemplate::from_folder(model_directory), messages, engine.tokenizer());
}

}  // namespace aios
