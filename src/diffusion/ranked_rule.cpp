#include "diffusion/ranked_rule.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sampling/row_candidates.h"

namespace aios {

double confidence_score(const RowCandidates& row) {
  return std::exp(static_cast<double>(row.sampled_log_prob));
}

double margin_score(const RowCandidates& row) {
  return std::exp(static_cast<double>(row.top_log_probs[0])) -
         std::exp(static_cast<double>(row.top_log_probs[1]));
}

double negative_entropy_score(const RowCandidates& row) {
  return -static_cast<double>(row.entropy);
}

std::size_t quota_count(std::span<const double> scores, int32_t quota) {
  return std::min(scores.size(), static_cast<std::size_t>(quota));
}

Count threshold_count(double threshold) {
  return [threshold](std::span<const double> scores, int32_t /*quota*/) {
    const auto first_below = std::find_if(scores.begin() + 1, scores.end(),
                                          [threshold](double p) { return p < threshold; });
    return static_cast<std::size_t>(first_below - scores.begin());
  };
}

Count factor_count(double factor) {
  return [factor](std::span<const double> scores, int32_t /*quota*/) {
    std::size_t count = 1;
    while (count < scores.size() &&
           scores[count] >= 1.0 - factor / (static_cast<double>(count) + 2.0)) {
      ++count;
    }
    return count;
  };
}

Count factor_nvlabs_count(double factor) {
  return [count = factor_count(factor)](std::span<const double> scores, int32_t quota) {
    const std::size_t passing = count(scores, quota);
    return passing + 1 == scores.size() ? scores.size() : passing;
  };
}

Count dynamic_count(double threshold) {
  return [threshold](std::span<const double> scores, int32_t quota) {
    const auto first_not_above = std::find_if(scores.begin(), scores.end(),
                                              [threshold](double p) { return p <= threshold; });
    return std::max(static_cast<std::size_t>(first_not_above - scores.begin()),
                    quota_count(scores, quota));
  };
}

Count entropy_bound_count(double bound) {
  return [bound](std::span<const double> scores, int32_t /*quota*/) {
    std::size_t count = 1;
    double entropy_before = -scores[0];
    while (count < scores.size() && entropy_before <= bound) {
      entropy_before -= scores[count];
      ++count;
    }
    return count;
  };
}

std::vector<int32_t> RankedRule::wanted_positions(const StepState& state) const {
  if (state.quota == 0) return {};
  return RevealRule::wanted_positions(state);
}

std::vector<Reveal> RankedRule::reveal(const StepState& state, std::span<const int32_t> positions,
                                       std::span<const RowCandidates> rows) const {
  std::vector<double> scores;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    double score = score_(rows[row]);
    if (alg_temp_ > 0) {
      score = score / alg_temp_ + gumbel(state.uniform(positions[row], kOrderNoise));
    }
    scores.push_back(score);
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<double> ranked;
  for (const std::size_t row : order) ranked.push_back(scores[row]);

  order.resize(count_(ranked, state.quota));
  std::vector<Reveal> reveals;
  for (const std::size_t row : order) {
    reveals.push_back({positions[row], rows[row].sampled_id, rows[row].sampled_log_prob});
  }
  return reveals;
}

}  // namespace aios
