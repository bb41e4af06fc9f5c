/// What samplers ask of the vocabulary, and what they get: without arithmetic.
///
/// Logits are those of the network's row, after the model's own suppression and scaling. Two ways:
/// `kCandidates` is a fused pass that never builds a matrix of logits; `kLogits` hands out whole
/// rows, for rules that need them (top-p, penalties, guidance) and for callers who ask.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace aios {

enum class HeadOutput { kCandidates, kLogits };

/// Where a row's Gumbel noise comes from: `source->uniform(canvas, step, position, token)`.
struct NoiseKey {
  int32_t canvas = 0;
  int32_t step = 0;
  int32_t position = 0;
};

struct HeadRequest {
  HeadOutput output = HeadOutput::kCandidates;
  std::span<const int32_t> rows{};  ///< rows of the hidden states, in the order of the results
  std::span<const int32_t> suppressed_token_ids{};  ///< get logit -infinity; ascending order

  // kCandidates only:
  float softmax_temperature = 1.0F;  ///< > 0: logits are divided by it before softmax quantities
  /// Gumbel-max: `sampled_id` = argmax over tokens of logit / softmax_temperature
  /// + gumbel_scale * g, g = -ln(-ln u). 0: the argmax, ties to the smaller id.
  float gumbel_scale = 0.0F;
  const UniformSource* noise = nullptr;    ///< needed when gumbel_scale > 0
  std::span<const NoiseKey> noise_keys{};  ///< per row, when gumbel_scale > 0
  std::span<const int32_t>
      target_ids{};  ///< optional, per row: token whose log probability is wanted
};

/// Softmax quantities refer to logits / softmax_temperature over all tokens not suppressed.
struct RowCandidates {
  std::array<int32_t, 2> top_ids{-1, -1};  ///< the two largest logits; ties to the smaller id
  std::array<float, 2> top_log_probs{};
  int32_t sampled_id = -1;
  float sampled_log_prob = 0;
  float target_log_prob = 0;  ///< of target_ids[row]
  float log_sum_exp = 0;      ///< of the scaled logits
  float entropy = 0;          ///< nats
};

struct HeadResult {
  std::vector<RowCandidates> candidates;  ///< per row, kCandidates
  std::vector<float> logits;              ///< [rows, vocab_size], kLogits; suppressed: -infinity
  int64_t vocab_size = 0;
};

}  // namespace aios
