/// What all uses of the denoising loop share: a model's settings for it, the clock, the counts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "aios/config.h"
#include "aios/engine.h"
#include "aios/results.h"
#include "diffusion/diffusion_core.h"
#include "diffusion/infill_lengths.h"
#include "engine/core_denoiser.h"
#include "engine/front_denoiser.h"
#include "engine/loaded_model.h"
#include "engine/stopwatch.h"

namespace aios {

/// Turns a filled canvas, already cut at its end of text, into `text`, `token_ids`, `logprobs`.
using Finish = std::function<void(FilledCanvas&, DiffusionResult&)>;

class DiffusionCall {
 public:
  /// Starts the clock.
  /// @param model borrowed
  /// @throws ConfigError on an option out of range, InferenceError if the model cannot diffuse
  DiffusionCall(const LoadedModel& model, const DiffusionConfig& config);

  [[nodiscard]] const DiffusionConfig& config() const noexcept { return config_; }
  /// Whether blocks do not see later ones.
  [[nodiscard]] bool causal_blocks() const noexcept {
    return attention_ == AttentionKind::kBlockCausal;
  }

  /// @throws InferenceError if a canvas of so many tokens does not fit the model's context
  void check_length(std::size_t num_tokens) const;

  /// The canvas's first tokens: the template's and the prompt's. Where the prompt is to change,
  /// `fill` sees to it.
  /// @param prompt borrowed until `fill` is done
  /// @throws ConfigError; InferenceError if no prompt of this model can change; TokenizerError
  std::vector<int32_t> begin_with(const DiffusionPrompt& prompt);

  /// The length of each hole. @throws InferenceError if even the shortest do not fit the context
  std::vector<int32_t> choose_lengths(std::span<const CanvasSegment> segments);

  /// Fills `num_samples` copies of `canvas`.
  DiffusionResults fill(const Canvas& canvas, const StepCallback& on_step, const Finish& finish);

 private:
  [[nodiscard]] std::vector<int32_t> front_of(const std::string& prompt) const;
  void refresh_front(const StepView& view);
  void end_tokenizing();
  int64_t finish_sample(const Canvas& canvas, FilledCanvas& sample, const Finish& finish,
                        DiffusionResults& results) const;

  const LoadedModel& model_;
  DiffusionConfig config_;
  AttentionKind attention_;
  CoreDenoiser denoiser_;
  FrontDenoiser front_denoiser_;
  DiffusionCore core_;
  const DiffusionPrompt* changing_prompt_ = nullptr;
  std::size_t front_length_ = 0;  // of the canvas
  Stopwatch watch_;
  double tokenize_seconds_ = 0;
};

/// Ids of a text without the tokenizer's template. @throws TokenizerError
[[nodiscard]] std::vector<int32_t> tokenize_given(const LoadedModel& model,
                                                  const std::string& text);

/// Cuts `text` before the first stop string, and says so in `result`.
/// @returns whether there was one
bool cut_at_stop(const std::vector<std::string>& stop, std::string& text, DiffusionResult& result);

/// Drops ids from the end of a canvas until those from `begin` on stand for no more than
/// `text_size` bytes.
void cut_to_text(const FastTokenizer& tokenizer, std::size_t begin, std::size_t text_size,
                 std::vector<int32_t>& token_ids);

}  // namespace aios
