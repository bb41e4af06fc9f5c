/// Texts to vectors.
#pragma once

#include <span>
#include <string>

#include "aios/config.h"
#include "aios/results.h"
#include "engine/loaded_model.h"

namespace aios {

/// Texts go through the network packed, sorted by length, at most some thousand tokens at a time.
/// @throws InferenceError if the model is no encoder or has a module that is not supported,
///         ConfigError, TokenizerError, CancelledError
[[nodiscard]] EncodeResult encode_texts(const LoadedModel& model,
                                        std::span<const std::string> texts,
                                        const EncodeConfig& config);

}  // namespace aios
