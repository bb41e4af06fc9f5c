#include "sampling/generate_tokens.h"

#include <algorithm>

#include "aios/error.h"
#include "sampling/token_sampler.h"

namespace aios {
namespace {

GeneratedTokens generate_sample(const ForwardFn& forward, std::span<const int32_t> prompt,
                                const GenerationConfig& config,
                                const GenerationTokens& special_tokens, TokenSampler& sampler,
                                int32_t sample, const TokenCallback& on_token) {
  GeneratedTokens written;
  const auto& end_ids = special_tokens.end_token_ids;
  HeadResult result;
  std::span<const int32_t> unseen = prompt;
  int32_t last_token_id = -1;
  for (int32_t step = 0; step < config.max_new_tokens; ++step) {
    if (config.cancellation.cancelled()) throw CancelledError("generation was cancelled");
    forward(sample, unseen, sampler.request(), result);
    const SampledToken token = sampler.sample(result);
    if (std::find(end_ids.begin(), end_ids.end(), token.id) != end_ids.end()) {
      written.finish_reason = FinishReason::kEndOfText;
      return written;
    }
    written.token_ids.push_back(token.id);
    if (config.logprobs) written.logprobs.push_back(token.log_prob);
    if (on_token && !on_token(sample, token.id)) {
      written.finish_reason = FinishReason::kStopString;
      return written;
    }
    last_token_id = token.id;
    unseen = std::span(&last_token_id, 1);
  }
  return written;
}

}  // namespace

std::vector<GeneratedTokens> generate_tokens(const ForwardFn& forward,
                                             std::span<const int32_t> prompt,
                                             const GenerationConfig& config,
                                             const GenerationTokens& special_tokens,
                                             const UniformSource& noise,
                                             const TokenCallback& on_token) {
  check_generation_config(config);
  if (prompt.empty()) {
    throw InferenceError(
        "nothing to continue: the prompt has no tokens; give a text, or begin "
        "with the model's begin token");
  }
  std::vector<int32_t> suppressed = special_tokens.suppressed_token_ids;
  std::sort(suppressed.begin(), suppressed.end());
  std::vector<GeneratedTokens> samples;
  for (int32_t sample = 0; sample < config.num_samples; ++sample) {
    TokenSampler sampler(config, suppressed, prompt, sample, noise);
    samples.push_back(
        generate_sample(forward, prompt, config, special_tokens, sampler, sample, on_token));
  }
  return samples;
}

}  // namespace aios
