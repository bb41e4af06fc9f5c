#include <memory>

#include "aios/engine.h"
#include "cli/chat_prompt.h"
#include "cli/command.h"
#include "cli/diffusion_front.h"
#include "cli/model_choice.h"
#include "cli/text_input.h"

namespace aios {
namespace {

struct DiffuseCommand {
  TextArgument prompt;
  ChatPrompt chat;
  DiffusionFront front;

  void run(const Session& session) const {
    const std::string text = prompt.read();
    const std::string model = choose_model(session.model, kDefaultModel);
    front.run(session, text,
              [&](ArrowEngine& engine, const DiffusionPrompt& recollections,
                  const DiffusionConfig& config, const StepCallback& on_step) {
                const auto behind = [&](const std::string& notes) {
                  return chat.of(notes + text, model, engine);
                };
                DiffusionPrompt whole = recollections;
                whole.text = behind(recollections.text);
                whole.refresh = [&](const std::string& revealed) {
                  return behind(recollections.refresh(text + revealed));
                };
                return engine.diffuse(whole, config, on_step);
              });
  }
};

}  // namespace

void add_diffuse_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<DiffuseCommand>();
  CLI::App& command =
      add_command(app, session, "diffuse", "continue a text by masked diffusion, in any order",
                  CommonFlags::kModel, [state, &session] { state->run(session); });
  state->prompt.add_to(command, "PROMPT", "text before the masks");
  state->chat.add_to(command);
  state->front.add_to(command);
}

}  // namespace aios
