/// For tests: what a head must answer, computed in double from rows of logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/head.h"

namespace aios::test {

inline double standard_gumbel(double uniform) { return -std::log(-std::log(uniform)); }

inline RowCandidates reference_candidates(const std::vector<double>& logits,
                                          const HeadRequest& request, std::size_t row) {
  const auto temperature = static_cast<double>(request.softmax_temperature);
  std::vector<double> scaled;
  for (const double logit : logits) scaled.push_back(logit / temperature);
  const double maximum = *std::max_element(scaled.begin(), scaled.end());
  double sum = 0;
  for (const double logit : scaled) sum += std::exp(logit - maximum);
  const double log_sum_exp = maximum + std::log(sum);

  RowCandidates candidates;
  candidates.log_sum_exp = static_cast<float>(log_sum_exp);
  double entropy = 0;
  double best_score = -std::numeric_limits<double>::infinity();
  std::array<double, 2> top{best_score, best_score};
  for (std::size_t id = 0; id < scaled.size(); ++id) {
    const double log_prob = scaled[id] - log_sum_exp;
    if (std::isinf(log_prob)) continue;
    entropy -= std::exp(log_prob) * log_prob;
    const auto token_id = static_cast<int32_t>(id);
    if (log_prob > top[0]) {
      top = {log_prob, top[0]};
      candidates.top_ids = {token_id, candidates.top_ids[0]};
    } else if (log_prob > top[1]) {
      top[1] = log_prob;
      candidates.top_ids[1] = token_id;
    }
    double score = log_prob;
    if (request.gumbel_scale > 0) {
      const NoiseKey& key = request.noise_keys[row];
      score +=
          static_cast<double>(request.gumbel_scale) *
          standard_gumbel(request.noise->uniform(key.canvas, key.step, key.position, token_id));
    }
    if (score > best_score) {
      best_score = score;
      candidates.sampled_id = token_id;
      candidates.sampled_log_prob = static_cast<float>(log_prob);
    }
  }
  candidates.top_log_probs = {static_cast<float>(top[0]), static_cast<float>(top[1])};
  candidates.entropy = static_cast<float>(entropy);
  if (!request.target_ids.empty()) {
    candidates.target_log_prob =
        static_cast<float>(scaled[static_cast<std::size_t>(request.target_ids[row])] - log_sum_exp);
  }
  return candidates;
}

inline void reference_head(const std::vector<std::vector<double>>& logits,
                           const HeadRequest& request, HeadResult& result) {
  result = {};
  result.vocab_size = logits.empty() ? 0 : static_cast<int64_t>(logits.front().size());
  for (std::size_t row = 0; row < logits.size(); ++row) {
    std::vector<double> allowed = logits[row];
    for (const int32_t id : request.suppressed_token_ids) {
      allowed[static_cast<std::size_t>(id)] = -std::numeric_limits<double>::infinity();
    }
    if (request.output == HeadOutput::kCandidates) {
      result.candidates.push_back(reference_candidates(allowed, request, row));
    } else {
      for (const double logit : allowed) result.logits.push_back(static_cast<float>(logit));
    }
  }
}

}  // namespace aios::test
