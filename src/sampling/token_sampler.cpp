#include "sampling/token_sampler.h"

#include <cmath>
#include <string>

#include "aios/error.h"
#include "sampling/row_candidates.h"
#include "sampling/row_filters.h"

namespace aios {
namespace {

constexpr int32_t kOnlyRow[] = {0};

void require(bool holds, const char* message) {
  if (!holds) throw ConfigError(message);
}

}  // namespace

void check_generation_config(const GenerationConfig& config) {
  require(config.max_new_tokens >= 1, "max_new_tokens must be at least 1");
  require(std::isfinite(config.temperature) && config.temperature >= 0,
          "temperature must be a number of at least 0 (0 is greedy)");
  require(config.top_k >= 0, "top_k must be at least 0 (0 is off)");
  require(config.top_p > 0 && config.top_p <= 1, "top_p must lie in (0, 1] (1 is off)");
  require(config.min_p >= 0 && config.min_p <= 1, "min_p must lie in [0, 1] (0 is off)");
  require(std::isfinite(config.repetition_penalty) && config.repetition_penalty > 0,
          "repetition_penalty must be a number above 0 (1 is off)");
  require(std::isfinite(config.presence_penalty), "presence_penalty must be a number (0 is off)");
  require(std::isfinite(config.frequency_penalty), "frequency_penalty must be a number (0 is off)");
  require(config.num_samples >= 1, "num_samples must be at least 1");
}

TokenSampler::TokenSampler(const GenerationConfig& config,
                           std::span<const int32_t> suppressed_token_ids,
                           std::span<const int32_t> prompt, int32_t sample,
                           const UniformSource& noise)
    : config_(config),
      suppressed_token_ids_(suppressed_token_ids.begin(), suppressed_token_ids.end()),
      noise_(&noise),
      key_{sample, 0, 0} {
  check_generation_config(config);
  for (const int32_t id : prompt) seen_counts_[id] = 0;
}

bool TokenSampler::needs_row() const noexcept {
  const bool penalises = config_.repetition_penalty != 1 || config_.presence_penalty != 0 ||
                         config_.frequency_penalty != 0;
  const bool filters = config_.top_k > 0 || config_.top_p < 1 || config_.min_p > 0;
  return penalises || (filters && config_.temperature > 0);
}

HeadRequest TokenSampler::request() const {
  HeadRequest request;
  request.output = needs_row() ? HeadOutput::kLogits : HeadOutput::kCandidates;
  request.rows = kOnlyRow;
  request.suppressed_token_ids = suppressed_token_ids_;
  request.gumbel_scale = config_.temperature;
  request.noise = noise_;
  request.noise_keys = std::span(&key_, 1);
  return request;
}

SampledToken TokenSampler::sample(HeadResult& result) {
  SampledToken token;
  if (needs_row()) {
    token = sample_row(std::span(result.logits).first(static_cast<std::size_t>(result.vocab_size)));
  } else {
    const RowCandidates& row = result.candidates.at(0);
    token = {row.sampled_id, row.sampled_log_prob};
  }
  if (token.id < 0 || std::isnan(token.log_prob)) {
    throw InferenceError("no token can be drawn for new token " + std::to_string(key_.step) +
                         ": the network's scores are not numbers, or every token is suppressed");
  }
  ++seen_counts_[token.id];
  ++key_.step;
  return token;
}

void TokenSampler::apply_penalties(std::span<float> logits) const {
  for (const auto& [id, count] : seen_counts_) {
    if (id < 0 || static_cast<std::size_t>(id) >= logits.size()) continue;
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = logit < 0 ? logit * config_.repetition_penalty : logit / config_.repetition_penalty;
    if (count > 0) {
      logit -= config_.frequency_penalty * static_cast<float>(count) + config_.presence_penalty;
    }
  }
}

void TokenSampler::process(std::span<float> logits) const {
  apply_penalties(logits);
  suppress_tokens(logits, suppressed_token_ids_);
  if (config_.temperature == 0) return;
  apply_temperature(logits, config_.temperature);
  apply_top_k(logits, config_.top_k);
  apply_top_p(logits, config_.top_p);
  apply_min_p(logits, config_.min_p);
}

SampledToken TokenSampler::sample_row(std::span<float> logits) {
  if (!is_valid_row(logits)) return {};
  std::vector<float> own_logits;
  if (config_.logprobs) own_logits.assign(logits.begin(), logits.end());

  process(logits);
  RowSampling sampling;
  if (config_.temperature > 0) {
    sampling.gumbel_scale = 1;
    sampling.noise = noise_;
    sampling.key = key_;
  }
  const RowCandidates row = row_candidates(logits, sampling);
  if (!config_.logprobs || row.sampled_id < 0) return {row.sampled_id, row.sampled_log_prob};
  suppress_tokens(own_logits, suppressed_token_ids_);
  RowSampling own;
  own.target_id = row.sampled_id;
  return {row.sampled_id, row_candidates(own_logits, own).target_log_prob};
}

}  // namespace aios
