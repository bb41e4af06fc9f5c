/// From a row of logits to the next token of one sample, left to right.
///
/// The order is that of Hugging Face transformers (`GenerationMixin._get_logits_processor`):
/// repetition penalty, suppressed tokens, temperature, top-k, top-p, min-p, draw. The presence and
/// frequency penalties, which transformers lacks, follow the repetition penalty, as in vLLM
/// (`model_executor/layers/utils.py`). With temperature 0 the penalties still count, the filters
/// cannot matter, and the draw is the argmax (ties to the smaller id). The draw is Gumbel-max on
/// counter-based noise: one seed, one text, whatever the number of threads.
///
/// A sampler serves one sample and is not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "aios/config.h"
#include "tensor/head.h"

namespace aios {

/// @throws ConfigError naming the first option that is out of range
void check_generation_config(const GenerationConfig& config);

struct SampledToken {
  int32_t id = -1;
  /// Under the model's own distribution without the suppressed tokens (temperature 1, no filters).
  float log_prob = 0;
};

class TokenSampler {
 public:
  /// @param suppressed_token_ids ascending; never sampled
  /// @param prompt counts as seen for the repetition penalty, not for the other two
  /// @param noise borrowed for the sampler's life
  TokenSampler(const GenerationConfig& config, std::span<const int32_t> suppressed_token_ids,
               std::span<const int32_t> prompt, int32_t sample, const UniformSource& noise);

  /// Asks for fused candidates where nothing but a temperature is on (argmax of logit + T g is a
  /// draw from softmax(logit / T)), else for the whole row. Spans point into the sampler.
  [[nodiscard]] HeadRequest request() const;

  /// Draws from the answer to `request()` and remembers the token as generated. Uses up the row.
  /// @throws InferenceError if the network gave NaN or every token is suppressed
  SampledToken sample(HeadResult& result);

  /// What happens to a row before the draw, in place. The row has no NaN and no +infinity.
  void process(std::span<float> logits) const;

 private:
  [[nodiscard]] bool needs_row() const noexcept;
  void apply_penalties(std::span<float> logits) const;
  SampledToken sample_row(std::span<float> logits);

  GenerationConfig config_;
  std::vector<int32_t> suppressed_token_ids_;
  std::unordered_map<int32_t, int32_t> seen_counts_;  // id to times generated; 0: prompt only
  const UniformSource* noise_;
  NoiseKey key_;  // canvas: the sample; step: tokens generated so far
};

}  // namespace aios
