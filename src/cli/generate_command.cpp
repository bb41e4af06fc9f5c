#include <memory>

#include "aios/engine.h"
#include "cli/answers.h"
#include "cli/chat_prompt.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/memory_flags.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/text_input.h"

namespace aios {
namespace {

struct GenerateCommand {
  TextArgument prompt;
  ChatPrompt chat;
  OptionFlags<GenerationConfig> flags;
  MemoryFlags memory;

  void run(const Session& session) const {
    Options options = session.options();
    flags.apply(options.generation);
    const std::string given = prompt.read();
    const std::string model = choose_model(session.model, kDefaultModel);
    ArrowEngine engine(model, options.engine);
    const std::unique_ptr<CommandMemory> notes = memory.open(session, engine);
    // What comes first is computed once for all samples.
    const std::string text =
        chat.of(notes != nullptr ? notes->recall(given) + given : given, model, engine);
    const Cancellable cancellable;
    options.generation.cancellation = cancellable.token();
    if (session.json) {
      const GenerationResults results = engine.generate(text, options.generation);
      for (std::size_t i = 0; i < results.samples.size(); ++i) {
        Json answer = to_json(results, i);
        if (notes != nullptr) notes->add_to_answer(answer);
        write_output(to_line(answer));
      }
      return;
    }
    stream(engine, text, options.generation);
  }

  /// Samples are written one after another, an empty line between them.
  static void stream(ArrowEngine& engine, const std::string& text, const GenerationConfig& config) {
    int32_t last_sample = 0;
    engine.generate(text, config, [&](int32_t sample, std::string_view piece) {
      if (sample != last_sample) write_output("\n\n");
      last_sample = sample;
      write_output(piece);
    });
    write_output("\n");
  }
};

}  // namespace

void add_generate_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<GenerateCommand>();
  CLI::App& command = add_command(app, session, "generate", "continue a text from left to right",
                                  CommonFlags::kModel, [state, &session] { state->run(session); });
  state->prompt.add_to(command, "PROMPT", "text to continue");
  state->chat.add_to(command);
  state->flags.add_to(command);
  state->memory.add_to(command);
  MemoryFlags::refuse_refresh_in(command);
}

}  // namespace aios
