/// A conversation as a prompt for a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/tokenizer.h"

namespace aios {

/// What a template makes of messages, less what the engine puts before every text.
/// @throws as `ChatTemplate::render`
[[nodiscard]] std::string render_chat(const ChatTemplate& chat_template,
                                      std::span<const ChatMessage> messages,
                                      const FastTokenizer& tokenizer);

/// The turns so far, as many of the last as fit the model's context beside the next answer. A model
/// without a chat template gets `User:` and `Assistant:` before the turns.
class Conversation {
 public:
  /// @param engine borrowed
  /// @param system a system message that stands before all turns; may be empty
  /// @throws FormatError on a template that cannot be used
  Conversation(const ArrowEngine& engine, const std::string& model_directory, std::string system);

  /// The prompt for an answer to `message`. Turns that do not fit any more are dropped for good,
  /// the oldest first.
  /// @param notes stand before the message, and in no later prompt
  /// @throws InferenceError if not even the message alone fits; ConfigError if the template refuses
  [[nodiscard]] std::string prompt(const std::string& notes, const std::string& message,
                                   int32_t max_new_tokens);
  /// Tokens that are left for notes on `message` in a prompt without earlier turns.
  [[nodiscard]] int32_t room(const std::string& message, int32_t max_new_tokens) const;
  /// @param memory_id of the turn in a store, or empty
  void add(const std::string& message, const std::string& answer, const std::string& memory_id);

  /// Where an answer ends, beyond the model's own end of text.
  [[nodiscard]] std::vector<std::string> stop() const;
  [[nodiscard]] bool has_template() const noexcept { return has_template_; }
  /// Ids of the turns that the next prompt can hold.
  [[nodiscard]] std::vector<std::string> memory_ids() const;

 private:
  struct Turn {
    std::string message;
    std::string answer;
    std::string memory_id;
  };
  [[nodiscard]] std::string render(std::span<const Turn> turns, const std::string& last) const;

  const ArrowEngine& engine_;
  bool has_template_ = false;
  ChatTemplate template_;
  std::string system_;
  std::vector<Turn> turns_;
};

}  // namespace aios
