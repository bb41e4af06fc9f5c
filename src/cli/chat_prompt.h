/// `--chat`: the text as a user's message, in the words of the model's chat template.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "aios/engine.h"

namespace aios {

class ChatPrompt {
 public:
  /// Adds `--chat` and `--system`.
  void add_to(CLI::App& command);
  /// `text` itself without `--chat`; else what the template of `model_directory` makes of it, less
  /// what the engine puts before every text.
  /// @throws ConfigError if there is a system message but no `--chat`; as `ChatTemplate`
  [[nodiscard]] std::string of(const std::string& text, const std::string& model_directory,
                               const ArrowEngine& engine) const;

 private:
  bool chat_ = false;
  std::string system_;
};

}  // namespace aios
