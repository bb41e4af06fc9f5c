/// The denoising loop: canvases with holes in, filled canvases out. Knows no model, only a
/// `Denoiser`.
///
/// Several canvases are filled in one run, one network call per step for all of them; each has its
/// own random stream, named by its index, so that it comes out the same whatever else is in the
/// run. Never sampled: the mask token (LLaDA's, Dream's and SDAR's code may sample it, and then
/// leave masks behind), the suppressed tokens, and end-of-text tokens where a canvas does not allow
/// them. Given tokens come back as they were. A run can be cancelled from another thread between
/// two steps.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "aios/config.h"
#include "aios/results.h"
#include "base/random.h"
#include "diffusion/block_schedule.h"
#include "diffusion/canvas.h"
#include "diffusion/denoiser.h"
#include "diffusion/discrete_sampler.h"

namespace aios {

/// Ids that a run must know of a vocabulary.
struct DiffusionTokens {
  int32_t mask_token_id = -1;
  std::vector<int32_t> suppressed_token_ids;  ///< never sampled; the mask id need not be in it
  std::vector<int32_t> end_token_ids;
};

struct FilledCanvas {
  std::vector<int32_t> token_ids;
  std::vector<uint8_t> masked;  ///< still masks: only after an early stop, right of end_position
  std::vector<float>
      logprobs;  ///< per position: of the written token when written; 0 for given ones
  /// First end-of-text token written, if the run stops at end-of-text.
  std::optional<int32_t> end_position;
  int32_t num_steps = 0;  ///< steps done
};

struct FilledCanvases {
  std::vector<FilledCanvas> canvases;
  int32_t num_forward_passes = 0;  ///< calls that asked for predictions
};

class DiffusionCore {
 public:
  /// @param denoiser borrowed for the core's life
  /// @throws ConfigError or InferenceError if the mask id is not in the vocabulary
  DiffusionCore(Denoiser& denoiser, DiffusionTokens tokens);

  /// Fills all canvases as `config` says. Of `config`, `max_new_tokens`, `num_samples`, `seed`,
  /// `stop` and `logprobs` are the caller's business; rest is used here.
  /// @param on_step called on the caller's thread with each canvas before its first step and after
  /// each step
  /// @throws ConfigError on an option out of range; InferenceError on an empty or inconsistent
  /// canvas, an id out of range, or scores that are not numbers; CancelledError; what the denoiser
  /// throws
  FilledCanvases fill(std::vector<Canvas> canvases, const DiffusionConfig& config,
                      bool causal_blocks, const UniformSource& noise,
                      const StepCallback& on_step = {});

  /// The same with a sampler of the caller's making.
  FilledCanvases fill(std::vector<Canvas> canvases, const DiffusionConfig& config,
                      const DiscreteSampler& sampler, bool causal_blocks,
                      const UniformSource& noise, const StepCallback& on_step = {});

 private:
  void check_canvas(const Canvas& canvas, std::size_t index) const;

  Denoiser& denoiser_;
  DiffusionTokens tokens_;
};

}  // namespace aios
