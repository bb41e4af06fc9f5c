#include <memory>

#include "aios/engine.h"
#include "cli/command.h"
#include "cli/diffusion_front.h"
#include "cli/text_input.h"

namespace aios {
namespace {

struct DiffuseCommand {
  TextArgument prompt;
  DiffusionFront front;

  void run(const Session& session) const {
    const std::string text = prompt.read();
    front.run(session, [&text](ArrowEngine& engine, const DiffusionConfig& config,
                               const StepCallback& on_step) {
      return engine.diffuse(text, config, on_step);
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
  state->front.add_to(command);
}

}  // namespace aios
