/// What `diffuse` and `infill` share: options, the live canvas, the answer.
#pragma once

#include <functional>
#include <string>

#include "aios/engine.h"
#include "cli/command.h"

namespace aios {

class DiffusionFront {
 public:
  void add_to(CLI::App& command);

  using Call =
      std::function<DiffusionResults(ArrowEngine&, const DiffusionConfig&, const StepCallback&)>;
  /// Loads the model, makes the call, shows its canvas if --show and a terminal are there, and
  /// writes the answer.
  void run(const Session& session, const Call& call) const;

 private:
  OptionFlags<DiffusionConfig> flags_;
  bool show_ = false;
};

}  // namespace aios
