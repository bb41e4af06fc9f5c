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
      front_denoiser_(denoiser_),
      core_(front_denoiser_,
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

std::vector<int32_t> DiffusionCall::front_of(const std::string& prompt) const {
  std::vector<int32_t> front = model_.token_rules().prefix;
  const std::vector<int32_t> ids = tokenize_given(model_, prompt);
  front.insert(front.end(), ids.begin(), ids.end());
  return front;
}

std::vector<int32_t> DiffusionCall::begin_with(const DiffusionPrompt& prompt) {
  if (prompt.refresh_steps < 0) throw ConfigError("refresh_steps must be at least 0");
  if (prompt.refresh_steps > 0) {
    if (!prompt.refresh) throw ConfigError("refresh_steps: there is no `refresh` to be called");
    if (causal_blocks()) {
      throw InferenceError("this " + model_.spec().family +
                           " model keeps for good what precedes a block: its prompt cannot change "
                           "while it writes; leave out --memory-refresh (refresh_steps)");
    }
    changing_prompt_ = &prompt;
  }
  std::vector<int32_t> front = front_of(prompt.text);
  front_length_ = front.size();
  return front;
}

/// From its next step on a canvas stands behind the prompt that is due to what it shows.
void DiffusionCall::refresh_front(const StepView& view) {
  if (view.step == 0 || view.step % changing_prompt_->refresh_steps != 0) return;
  std::vector<int32_t> revealed;
  for (std::size_t i = front_length_; i < view.token_ids.size(); ++i) {
    if (view.masked[i] == 0) revealed.push_back(view.token_ids[i]);
  }
  const std::size_t num_behind = view.token_ids.size() - front_length_;
  if (revealed.size() == num_behind) return;  // it is done
  std::vector<int32_t> front =
      front_of(changing_prompt_->refresh(model_.tokenizer().decode(revealed)));
  if (front.size() + num_behind > static_cast<std::size_t>(model_.max_length())) return;
  if (config_.cfg_scale > 0) {  // the branch that sees nothing of what is given
    front_denoiser_.exchange(config_.num_samples + view.sample, front_length_,
                             std::vector<int32_t>(front.size(), *model_.token_rules().mask));
  }
  front_denoiser_.exchange(view.sample, front_length_, std::move(front));
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
  const bool changes = changing_prompt_ != nullptr;
  if (config_.kv_cache != CacheMode::kNone) {
    denoiser_.keep_caches(changes ? model_.max_length() : canvas.length());
  }
  const StepCallback observe = [&](const StepView& view) {
    if (on_step) on_step(view);
    refresh_front(view);
  };
  const std::vector<Canvas> canvases(static_cast<std::size_t>(config_.num_samples), canvas);
  FilledCanvases filled =
      core_.fill(canvases, config_, causal_blocks(), PhiloxUniformSource(config_.seed),
                 changes ? observe : on_step);
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
