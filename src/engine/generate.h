/// Writing from left to right.
#pragma once

#include <string>

#include "aios/config.h"
#include "aios/results.h"
#include "engine/loaded_model.h"
#include "engine/prefix_caches.h"

namespace aios {

/// @param caches keep what was computed, for the next prompt that begins alike
/// @throws InferenceError if the model cannot generate, or prompt and new tokens do not fit its
///         context; ConfigError, TokenizerError, CancelledError
[[nodiscard]] GenerationResults generate_text(const LoadedModel& model, PrefixCaches& caches,
                                              const std::string& prompt,
                                              const GenerationConfig& config,
                                              const TextCallback& on_text);

}  // namespace aios
