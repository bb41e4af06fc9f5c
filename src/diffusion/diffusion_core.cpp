#include "diffusion/diffusion_core.h"

#include <algorithm>
#include <string>

#include "aios/error.h"
#include "diffusion/canvas_run.h"
#include "diffusion/check_config.h"
#include "diffusion/predictor.h"

namespace aios {
namespace {

std::vector<int32_t> ascending(std::vector<int32_t> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

FilledCanvas take(const CanvasRun& run, bool stops_at_end) {
  FilledCanvas filled;
  filled.token_ids = run.canvas().token_ids;
  filled.masked = run.canvas().masked;
  filled.logprobs = run.logprobs();
  if (stops_at_end) filled.end_position = run.end_of_text();
  filled.num_steps = run.step();
  return filled;
}

/// Steps all canvases until each is done.
int32_t run_to_end(std::vector<CanvasRun>& runs, Predictor& predictor,
                   const CancellationToken& cancellation) {
  while (true) {
    if (cancellation.cancelled()) throw CancelledError("diffusion was cancelled");
    std::vector<CanvasRun*> active;
    for (CanvasRun& run : runs) {
      if (run.advance()) active.push_back(&run);
      predictor.store(run);
    }
    if (active.empty()) return predictor.num_forward_passes();
    const auto predictions = predictor.predict(active);
    for (std::size_t i = 0; i < active.size(); ++i) {
      if (active[i]->apply(predictions[i])) predictor.forget(active[i]->index());
    }
  }
}

}  // namespace

DiffusionCore::DiffusionCore(Denoiser& denoiser, DiffusionTokens tokens)
    : denoiser_(denoiser), tokens_(std::move(tokens)) {
  if (tokens_.mask_token_id < 0 || tokens_.mask_token_id >= denoiser.vocab_size()) {
    throw InferenceError("the mask token id " + std::to_string(tokens_.mask_token_id) +
                         " is not in the vocabulary of " + std::to_string(denoiser.vocab_size()) +
                         ": this model has no mask token and cannot diffuse");
  }
  tokens_.suppressed_token_ids.push_back(tokens_.mask_token_id);
  tokens_.suppressed_token_ids = ascending(std::move(tokens_.suppressed_token_ids));
}

void DiffusionCore::check_canvas(const Canvas& canvas, std::size_t index) const {
  const std::string name = "canvas " + std::to_string(index);
  const std::size_t length = canvas.token_ids.size();
  if (length == 0) throw InferenceError(name + " is empty: give a prompt or a hole");
  if (canvas.masked.size() != length || canvas.may_end.size() != length) {
    throw InferenceError(name + " has " + std::to_string(length) + " tokens but " +
                         std::to_string(canvas.masked.size()) + " mask flags and " +
                         std::to_string(canvas.may_end.size()) + " end flags");
  }
  if (canvas.block_origin < 0 || canvas.block_origin >= canvas.length()) {
    throw InferenceError(name + " counts blocks from position " +
                         std::to_string(canvas.block_origin) + ", outside its " +
                         std::to_string(length) + " tokens");
  }
  for (std::size_t position = 0; position < length; ++position) {
    const int32_t id = canvas.token_ids[position];
    if (canvas.masked[position] == 0 && (id < 0 || id >= denoiser_.vocab_size())) {
      throw InferenceError(name + " holds token id " + std::to_string(id) + " at position " +
                           std::to_string(position) + ", outside the vocabulary of " +
                           std::to_string(denoiser_.vocab_size()));
    }
  }
}

FilledCanvases DiffusionCore::fill(std::vector<Canvas> canvases, const DiffusionConfig& config,
                                   bool causal_blocks, const UniformSource& noise,
                                   const StepCallback& on_step) {
  return fill(std::move(canvases), config, DiscreteSampler::make(config, tokens_.mask_token_id),
              causal_blocks, noise, on_step);
}

FilledCanvases DiffusionCore::fill(std::vector<Canvas> canvases, const DiffusionConfig& config,
                                   const DiscreteSampler& sampler, bool causal_blocks,
                                   const UniformSource& noise, const StepCallback& on_step) {
  check_diffusion_config(config);
  for (std::size_t i = 0; i < canvases.size(); ++i) check_canvas(canvases[i], i);

  RunSettings settings;
  settings.sampler = sampler;
  settings.layout = {config.block_length, causal_blocks};
  settings.num_steps = config.num_steps;
  settings.mask_token_id = tokens_.mask_token_id;
  settings.end_token_ids = tokens_.end_token_ids;
  settings.stop_at_end_of_text = config.stop_at_end_of_text;
  settings.kv_cache = config.kv_cache;
  settings.cache_refresh_steps = config.cache_refresh_steps;
  settings.noise = &noise;

  std::vector<CanvasRun> runs;
  runs.reserve(canvases.size());
  for (Canvas& canvas : canvases) {
    runs.emplace_back(std::move(canvas), static_cast<int32_t>(runs.size()), settings, on_step);
  }
  Predictor predictor(denoiser_, config, settings, runs, tokens_.suppressed_token_ids);
  FilledCanvases filled;
  filled.num_forward_passes = run_to_end(runs, predictor, config.cancellation);
  for (const CanvasRun& run : runs) {
    filled.canvases.push_back(take(run, config.stop_at_end_of_text));
  }
  return filled;
}

}  // namespace aios
