#include "cli/diffusion_front.h"

#include <memory>

#include "cli/answers.h"
#include "cli/canvas_view.h"
#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace aios {

void DiffusionFront::add_to(CLI::App& command) {
  flags_.add_to(command);
  memory_.add_to(command);
  memory_.add_refresh_to(command);
  command.add_flag("--show", show_, "show the canvas in the terminal while it clears");
}

void DiffusionFront::run(const Session& session, const std::string& query, const Call& call) const {
  Options options = session.options();
  flags_.apply(options.diffusion);
  ArrowEngine engine(choose_model(session.model, kDefaultModel), options.engine);
  const Cancellable cancellable;
  options.diffusion.cancellation = cancellable.token();
  const std::unique_ptr<CommandMemory> memory = memory_.open(session, engine);
  DiffusionPrompt notes;
  if (memory != nullptr) {
    notes.text = memory->recall(query);
    notes.refresh_steps = memory_.refresh_steps();
    notes.refresh = [&memory](const std::string& text) { return memory->recall_again(text); };
  }

  DiffusionResults results;
  if (show_ && stderr_is_terminal()) {
    const HiddenCursor hidden_cursor;
    CanvasView view(engine.tokenizer());
    results =
        call(engine, notes, options.diffusion, [&view](const StepView& step) { view.show(step); });
    // The answer takes the place of the view, unless it goes elsewhere.
    write_terminal(stdout_is_terminal() ? view.erase() : "\n");
  } else {
    results = call(engine, notes, options.diffusion, {});
  }
  for (std::size_t i = 0; i < results.samples.size(); ++i) {
    if (session.json) {
      Json answer = to_json(results, i);
      if (memory != nullptr) memory->add_to_answer(answer);
      write_output(to_line(answer));
    } else {
      write_output((i > 0 ? "\n" : "") + results.samples[i].text + "\n");
    }
  }
}

}  // namespace aios
