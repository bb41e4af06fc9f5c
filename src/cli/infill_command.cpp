#include <memory>

#include "aios/engine.h"
#include "cli/command.h"
#include "cli/diffusion_front.h"
#include "cli/text_input.h"

namespace aios {
namespace {

struct InfillCommand {
  TextArgument text;
  DiffusionFront front;

  void run(const Session& session) const {
    const std::vector<InfillSegment> segments = parse_holes(text.read());
    std::string given;
    for (const InfillSegment& segment : segments) given += segment.text + " ";
    front.run(session, given,
              [&segments](ArrowEngine& engine, const DiffusionPrompt& recollections,
                          const DiffusionConfig& config, const StepCallback& on_step) {
                return engine.infill(segments, config, on_step, recollections);
              });
  }
};

}  // namespace

void add_infill_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<InfillCommand>();
  CLI::App& command = add_command(app, session, "infill", "fill the holes of a text",
                                  CommonFlags::kModel, [state, &session] { state->run(session); });
  state->text.add_to(command, "TEXT",
                     "text with holes, in tokens: [[8]] or [[3-12]]; [[[[ is a literal [[");
  state->front.add_to(command);
}

}  // namespace aios
