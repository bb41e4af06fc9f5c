/// The encoder that a command of the memory uses, loaded when the first text comes.
#pragma once

#include <memory>
#include <string>

#include "aios/engine.h"
#include "aios/memory.h"
#include "cli/command.h"

namespace aios {

/// `model`, else the default encoder. Shows a bar, and hears Ctrl-C, while it encodes.
class CommandEncoder final : public EmbeddingProvider {
 public:
  /// Borrows the session.
  CommandEncoder(const Session& session, std::string model);
  explicit CommandEncoder(const Session& session) : CommandEncoder(session, session.model) {}
  ~CommandEncoder() override;

  /// The name of the model's folder. @throws ConfigError if there is no model
  [[nodiscard]] std::string embedding_model() const override;
  [[nodiscard]] std::vector<float> embed(std::span<const std::string> texts) override;

 private:
  const Session& session_;
  std::string model_;
  std::unique_ptr<ArrowEngine> engine_;
};

}  // namespace aios
