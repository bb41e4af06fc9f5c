/// How likely texts are.
#pragma once

#include <span>
#include <string>

#include "aios/config.h"
#include "aios/results.h"
#include "engine/loaded_model.h"

namespace aios {

/// Exact likelihood left to right, or diffusion's bound. Nothing is suppressed: the model's own
/// distribution counts.
/// @throws InferenceError if the model cannot do either, has no begin token, or the documents hold
///         no token; ConfigError, TokenizerError, CancelledError
[[nodiscard]] ScoreResult score_documents(const LoadedModel& model,
                                          std::span<const std::string> documents,
                                          const ScoreConfig& config);

}  // namespace aios
