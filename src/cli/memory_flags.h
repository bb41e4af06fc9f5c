/// `--memory` and its kin: writing with memories in view.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "aios/engine.h"
#include "cli/answers.h"
#include "cli/command.h"

namespace aios {

class MemoryFlags {
 public:
  void add_to(CLI::App& command);
  /// What the store of --memory holds on a text; nothing without the flag.
  [[nodiscard]] Recollections recall(const Session& session, const ArrowEngine& engine,
                                     const std::string& query) const;
  /// The answer's `memories` (ids, scores and contents) and `recollections` (what of them stood
  /// before the prompt, word for word). Nothing is added without the flag.
  void add_to_answer(Json& answer, const Recollections& recollections) const;

 private:
  std::string directory_;
  std::string encoder_;
  MemoryGuidance guidance_;
};

}  // namespace aios
