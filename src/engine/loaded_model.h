/// A model directory, opened: network, tokenizer, and what they agree on.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aios/config.h"
#include "aios/tokenizer.h"
#include "engine/token_rules.h"
#include "model/inference_core.h"

namespace aios {

/// Immutable once loaded and safe to share between threads.
class LoadedModel {
 public:
  /// A folder without a tokenizer can be opened too; it gives logits and nothing else.
  /// @throws IoError, FormatError, DeviceError, InferenceError
  LoadedModel(std::string directory, const EngineConfig& config);

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] const InferenceCore& core() const noexcept { return *core_; }
  [[nodiscard]] const ModelSpec& spec() const noexcept { return core_->spec(); }
  [[nodiscard]] int32_t max_length() const noexcept {
    return static_cast<int32_t>(spec().context_length());
  }

  /// Both @throws InferenceError if the folder has no tokenizer
  [[nodiscard]] const FastTokenizer& tokenizer() const;
  [[nodiscard]] const TokenRules& token_rules() const;

  /// @throws InferenceError that says what the model can do, if that is not among it
  void require(Mode mode) const;

 private:
  std::string directory_;
  std::unique_ptr<InferenceCore> core_;
  std::optional<FastTokenizer> tokenizer_;
  std::optional<TokenRules> token_rules_;
};

/// What a model directory's config.json, generation_config.json and sentence-transformers files say
/// the network is. @throws IoError, FormatError
[[nodiscard]] ModelSpec read_model_spec(const std::string& directory);

/// The calls that a network answers: `encode`, `generate`, `diffuse`, `infill`, `score`.
[[nodiscard]] std::vector<std::string> mode_names(const ModelSpec& spec);

}  // namespace aios
