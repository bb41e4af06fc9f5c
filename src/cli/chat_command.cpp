#include <algorithm>
#include <memory>
#include <optional>

#include "aios/engine.h"
#include "aios/error.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "cli/line_reader.h"
#include "cli/memory_flags.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/text_input.h"

namespace aios {
namespace {

constexpr const char* kCategory = "chat";  // of remembered turns
constexpr const char* kSpace = " \t\r\n";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

/// An answer while it comes, from its first visible character on.
class Answer {
 public:
  explicit Answer(bool is_shown) : is_shown_(is_shown) {}

  void add(std::string_view piece) {
    if (text_.empty()) piece.remove_prefix(std::min(piece.find_first_not_of(kSpace), piece.size()));
    text_ += piece;
    if (is_shown_) write_output(piece);
  }
  [[nodiscard]] std::string text() const { return trimmed(text_); }

 private:
  bool is_shown_;
  std::string text_;
};

/// One conversation, from the first message to the end of the input.
class Chat {
 public:
  Chat(const Session& session, const std::string& model, const Options& options,
       const std::string& system, const MemoryFlags& memory)
      : engine_(model, options.engine),
        config_(options.generation),
        conversation_(engine_, model, system),
        memory_(memory.open_or_create(session, engine_)),
        json_(session.json) {
    for (std::string& stop : conversation_.stop()) config_.stop.push_back(std::move(stop));
  }

  void run() {
    if (reader_.is_terminal()) {
      write_terminal(
          "Ctrl-C stops an answer, Ctrl-D ends the chat; a line that ends with \\ goes on in the "
          "next.\n");
      if (!conversation_.has_template()) {
        write_terminal("This model has no chat template: it reads User: and Assistant:.\n");
      }
    }
    std::optional<InterruptsPass> interrupts_pass;
    if (reader_.is_terminal()) interrupts_pass.emplace();
    while (take_turn()) {
    }
  }

 private:
  /// Of a script Ctrl-C ends all, of a person's chat an answer.
  [[nodiscard]] bool interrupt_ends() const { return told_to_end() || !reader_.is_terminal(); }

  /// @returns false at the end of the input
  bool take_turn() {
    try {
      const std::optional<std::string> message = reader_.read();
      if (!message) return false;
      if (!trimmed(*message).empty()) respond(*message);
    } catch (const CancelledError&) {
      throw;
    } catch (const IoError&) {
      throw;
    } catch (const Error& error) {
      if (!reader_.is_terminal()) throw;  // a person can say it otherwise, a script cannot
      write_terminal(std::string("error: ") + error.what() + "\n");
    }
    return true;
  }

  void respond(const std::string& message) {
    Answer answer(!json_);
    std::optional<GenerationResults> results;
    try {
      results = generate(message, answer);
    } catch (const CancelledError&) {
      if (interrupt_ends()) throw;
    }
    if (json_) {
      Json line = results ? to_json(*results, 0)
                          : Json{{"text", answer.text()}, {"finish_reason", "interrupted"}};
      if (memory_ != nullptr) memory_->add_to_answer(line);
      write_output(to_line(line));
    } else {
      write_output("\n");
    }
    conversation_.add(message, answer.text(), results ? remember(message, answer.text()) : "");
  }

  GenerationResults generate(const std::string& message, Answer& answer) {
    std::string notes;
    if (memory_ != nullptr) {
      const int32_t room = conversation_.room(message, config_.max_new_tokens);
      notes = memory_->recall(message, room / 2, conversation_.memory_ids());
    }
    const std::string prompt = conversation_.prompt(notes, message, config_.max_new_tokens);
    const Cancellable cancellable;
    config_.cancellation = cancellable.token();
    GenerationResults results = engine_.generate(
        prompt, config_, [&](int32_t, std::string_view piece) { answer.add(piece); });
    ++config_.seed;  // or every answer would be drawn by the same numbers
    return results;
  }

  /// @returns the new memory's id; none without a store, or when interrupted
  std::string remember(const std::string& message, const std::string& answer) {
    if (memory_ == nullptr) return {};
    try {
      return memory_->remember("User: " + message + "\nAssistant: " + answer, kCategory);
    } catch (const CancelledError&) {
      if (interrupt_ends()) throw;
      return {};
    }
  }

  ArrowEngine engine_;
  GenerationConfig config_;
  Conversation conversation_;
  std::unique_ptr<CommandMemory> memory_;
  LineReader reader_;
  bool json_;
};

struct ChatCommand {
  std::string system;
  OptionFlags<GenerationConfig> flags;
  MemoryFlags memory;

  void run(const Session& session) const {
    Options options = session.options();
    flags.apply(options.generation);
    if (options.generation.num_samples != 1) {
      throw ConfigError("--num-samples: a chat has one answer at a time");
    }
    check_utf8(system, "--system");
    Chat(session, choose_model(session.model, kDefaultModel), options, system, memory).run();
  }
};

}  // namespace

void add_chat_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<ChatCommand>();
  CLI::App& command = add_command(app, session, "chat", "talk with a model, message by message",
                                  CommonFlags::kModel, [state, &session] { state->run(session); });
  command.add_option("--system", state->system, "a system message before all others")
      ->type_name("TEXT");
  state->flags.add_to(command);
  state->memory.add_to(command);
  MemoryFlags::refuse_refresh_in(command);
}

}  // namespace aios
