/// Filling canvases: a prompt and one hole, text with holes, tokens to be written again.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "aios/config.h"
#include "aios/engine.h"
#include "aios/results.h"
#include "engine/loaded_model.h"

namespace aios {

/// All @throws InferenceError if the model cannot diffuse, or the canvas does not fit its context;
///             ConfigError, TokenizerError, CancelledError
[[nodiscard]] DiffusionResults diffuse_prompt(const LoadedModel& model,
                                              const DiffusionPrompt& prompt,
                                              const DiffusionConfig& config,
                                              const StepCallback& on_step);

/// The canvas is the template's ids around the prompt and the segments, each tokenized by itself;
/// the results leave the prompt out. End-of-text may stand only in a hole that ends the text;
/// `stop` counts there only. Given text comes back byte for byte.
[[nodiscard]] DiffusionResults fill_segments(const LoadedModel& model,
                                             const DiffusionPrompt& prompt,
                                             std::span<const InfillSegment> segments,
                                             const DiffusionConfig& config,
                                             const StepCallback& on_step);

[[nodiscard]] DiffusionResults edit_canvas(const LoadedModel& model,
                                           std::span<const int32_t> token_ids,
                                           std::span<const int32_t> positions,
                                           const DiffusionConfig& config,
                                           const StepCallback& on_step);

}  // namespace aios
