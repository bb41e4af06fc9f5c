/// What a conversion cost: a text scored by the model before and after.
#pragma once

#include <string>
#include <vector>

#include "aios/model_files.h"

namespace aios {

/// Left to right, by diffusion and as vectors: whatever both models can do. Same windows, masks and
/// lines for both.
/// @throws ConfigError if `options.eval_text` has no tokens; TokenizerError, CancelledError
[[nodiscard]] std::vector<ConvertReport::Loss> compare_losses(const std::string& before,
                                                              const std::string& after,
                                                              const ConvertOptions& options);

}  // namespace aios
