/// What `diffuse` and `infill` share: options, the live canvas, the answer.
#pragma once

#include <functional>
#include <string>

#include "aios/engine.h"
#include "cli/command.h"
#include "cli/memory_flags.h"

namespace aios {

class DiffusionFront {
 public:
  void add_to(CLI::App& command);

  /// What a call gets: the engine, recollections to stand before its text (mostly none), options.
  /// The recollections' `refresh` wants the whole text that they are looked for by.
  using Call = std::function<DiffusionResults(ArrowEngine&, const DiffusionPrompt& recollections,
                                              const DiffusionConfig&, const StepCallback&)>;
  /// Loads the model, makes the call, shows its canvas if --show and a terminal are there, and
  /// writes the answer.
  /// @param query what memories are looked for by, if --memory is there
  void run(const Session& session, const std::string& query, const Call& call) const;

 private:
  OptionFlags<DiffusionConfig> flags_;
  MemoryFlags memory_;
  bool show_ = false;
};

}  // namespace aios
