#include "engine/diffusion_call.h"

#include <algorithm>

#include "aios/error.h"
#include "engine/canvas_text.h"
#include "engine/stop_strings.h"

namespace aios {
namespace {

/// Checked before anything is built on it.
const LoadedModel& checked(const LoadedModel& model, const DiffusionConfig& config) {
  check_options(config);
  model.require(Mode::kDiffuse);
  if (model.token_rules().mask) return model;
  throw InferenceError("this " + model.spec().family +
                       " model cannot diffuse: neither config.json nor the tokenizer names a mask "
                       "token");
}

}  // namespace

DiffusionCall::DiffusionCall(const LoadedModel& model, const DiffusionConfig& config)
    : model_(checked(model, config)),
      config_(config),
      attention_(denoising_attention(model.spec())),
      denoiser_(model.core(), attention_),
      core_(denoiser_,
            {*model.token_rules().mask, model.token_rules().suppressed, model.token_rules().end}) {
  if (causal_blocks() && config_.block_length == 0)
    config_.block_length = model.spec().block_length;
}

void DiffusionCall::check_length(std::size_t num_tokens) const {
  if (num_tokens <= static_cast<std::size_t>(model_.max_length())) return;
  throw InferenceError("a canvas of " + std::to_string(num_tokens) +
                       " tokens, masks included, does not fit the model's context of " +
                       std::to_string(model_.max_length()) +
                       "; shorten the text, the holes or max_new_tokens");
}

std::vector<int32_t> DiffusionCall::choose_lengths(std::span<const CanvasSegment> segments) {
  end_tokenizing();
  return choose_hole_lengths(denoiser_, *model_.token_rules().mask, segments, model_.max_length());
}

/// Tokenizing ends where the network is first asked.
void DiffusionCall::end_tokenizing() {
  if (tokenize_seconds_ == 0) tokenize_seconds_ = watch_.lap();
}

DiffusionResults DiffusionCall::fill(const Canvas& canvas, const StepCallback& on_step,
                                     const Finish& finish) {
  end_tokenizing();
  DiffusionResults results;
  results.seconds.tokenize = tokenize_seconds_;
  if (config_.kv_cache != CacheMode::kNone) denoiser_.keep_caches(canvas.length());
  const std::vector<Canvas> canvases(static_cast<std::size_t>(config_.num_samples), canvas);
  FilledCanvases filled =
      core_.fill(canvases, config_, causal_blocks(), PhiloxUniformSource(config_.seed), on_step);
  results.seconds.compute = watch_.lap();
  results.num_forward_passes = filled.num_forward_passes;
  int64_t num_written = 0;
  for (FilledCanvas& sample : filled.canvases) {
    num_written += finish_sample(canvas, sample, finish, results);
  }
  results.seconds.total = watch_.total();
  const double seconds = results.seconds.compute;
  results.tokens_per_second = seconds > 0 ? static_cast<double>(num_written) / seconds : 0;
  return results;
}

/// @returns tokens written up to the text's end
int64_t DiffusionCall::finish_sample(const Canvas& canvas, FilledCanvas& sample,
                                     const Finish& finish, DiffusionResults& results) const {
  DiffusionResult& result = results.samples.emplace_back();
  result.num_steps = sample.num_steps;
  if (sample.end_position) {
    const auto end = static_cast<std::size_t>(*sample.end_position);
    sample.token_ids.resize(end);
    sample.logprobs.resize(end);
    result.finish_reason = FinishReason::kEndOfText;
  }
  const auto length = static_cast<std::ptrdiff_t>(sample.token_ids.size());
  finish(sample, result);
  if (!config_.logprobs) result.logprobs.clear();
  return std::count(canvas.masked.begin(), canvas.masked.begin() + length, uint8_t{1});
}

std::vector<int32_t> tokenize_given(const LoadedModel& model, const std::string& text) {
  return model.tokenizer().encode(text, {.add_special_tokens = false}).ids;
}

bool cut_at_stop(const std::vector<std::string>& stop, std::string& text, DiffusionResult& result) {
  const std::size_t size = before_stop(text, stop).size();
  if (size == text.size()) return false;
  text.resize(size);
  result.finish_reason = FinishReason::kStopString;
  return true;
}

void cut_to_text(const FastTokenizer& tokenizer, std::size_t begin, std::size_t text_size,
                 std::vector<int32_t>& token_ids) {
  while (token_ids.size() > begin &&
         text_of_range(tokenizer, token_ids, begin, token_ids.size()).size() > text_size) {
    token_ids.pop_back();
  }
}

}  // namespace aios
