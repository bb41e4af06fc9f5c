/// The autoregressive loop: a prompt and a `ForwardFn` to written tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "aios/config.h"
#include "aios/results.h"
#include "base/random.h"
#include "sampling/forward_fn.h"

namespace aios {

/// Ids that the loop must know of a vocabulary.
struct GenerationTokens {
  std::vector<int32_t> suppressed_token_ids;  ///< never sampled
  std::vector<int32_t> end_token_ids;         ///< end a sample; not part of what was written
};

struct GeneratedTokens {
  std::vector<int32_t> token_ids;  ///< without the end-of-text token
  std::vector<float> logprobs;     ///< per token, if asked for (see `SampledToken`)
  FinishReason finish_reason = FinishReason::kLength;
};

/// Called with each token as it is drawn. Returning false ends the sample there (`kStopString`);
/// the token stays in the result, for the caller to cut.
using TokenCallback = std::function<bool(int32_t sample, int32_t token_id)>;

/// Writes `config.num_samples` continuations, one after another, each with its own random stream
/// of `noise`. `config.stop` and `config.seed` are the caller's business.
/// @throws ConfigError on an option out of range, InferenceError on an empty prompt or scores that
/// are not numbers, CancelledError, and whatever `forward` throws
std::vector<GeneratedTokens> generate_tokens(const ForwardFn& forward,
                                             std::span<const int32_t> prompt,
                                             const GenerationConfig& config,
                                             const GenerationTokens& special_tokens,
                                             const UniformSource& noise,
                                             const TokenCallback& on_token = {});

}  // namespace aios
