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
              [&segments](ArrowEngine& engine, const std::string& recollections,
                          const DiffusionConfig& config, const StepCallback& on_step) {
                return infill_after(engine, recollections, segments, config, on_step);
              });
  }

  /// Given text comes back as it was: what stands before the segments is cut off again.
  static DiffusionResults infill_after(ArrowEngine& engine, const std::string& recollections,
                                       std::vector<InfillSegment> segments,
                                       const DiffusionConfig& config, const StepCallback& on_step) {
    if (recollections.empty()) return engine.infill(segments, config, on_step);
    segments.insert(segments.begin(), InfillSegment::given(recollections));
    DiffusionResults results = engine.infill(segments, config, on_step);
    for (DiffusionResult& result : results.samples) {
      result.text.erase(0, recollections.size());
    }
    return results;
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
