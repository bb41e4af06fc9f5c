#include "sampling/row_candidates.h"

#include <cmath>
#include <limits>

namespace aios {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// The two largest logits and their ids.
struct TopTwo {
  std::array<int32_t, 2> ids{-1, -1};
  std::array<double, 2> logits{kNothing, kNothing};

  void offer(int32_t id, double logit) noexcept {
    if (logit > logits[0]) {
      ids = {id, ids[0]};
      logits = {logit, logits[0]};
    } else if (logit > logits[1]) {
      ids[1] = id;
      logits[1] = logit;
    }
  }
};

}  // namespace

double gumbel(double uniform) noexcept { return -std::log(-std::log(uniform)); }

RowCandidates row_candidates(std::span<const float> logits, const RowSampling& sampling) noexcept {
  TopTwo top;
  int32_t sampled_id = -1;
  double best_score = kNothing;
  const auto scaled = [&](std::size_t id) {
    return static_cast<double>(logits[id]) / sampling.softmax_temperature;
  };
  for (std::size_t index = 0; index < logits.size(); ++index) {
    const double logit = scaled(index);
    if (std::isnan(logit)) return {};
    if (logit == kNothing) continue;
    const auto id = static_cast<int32_t>(index);
    top.offer(id, logit);
    if (sampling.gumbel_scale > 0) {
      const NoiseKey& key = sampling.key;
      const double noise = gumbel(sampling.noise->uniform(key.canvas, key.step, key.position, id));
      const double score = logit + sampling.gumbel_scale * noise;
      if (sampled_id < 0 || score > best_score) {
        sampled_id = id;
        best_score = score;
      }
    }
  }
  if (top.ids[0] < 0) return {};
  if (sampling.gumbel_scale <= 0) sampled_id = top.ids[0];

  double sum = 0;
  double weighted_sum = 0;  // of exp(x) x, x = logit - maximum
  for (std::size_t index = 0; index < logits.size(); ++index) {
    const double difference = scaled(index) - top.logits[0];
    if (difference == kNothing) continue;
    const double weight = std::exp(difference);
    sum += weight;
    weighted_sum += weight * difference;
  }
  const double log_sum_exp = top.logits[0] + std::log(sum);

  RowCandidates row;
  row.top_ids = top.ids;
  row.top_log_probs = {static_cast<float>(top.logits[0] - log_sum_exp),
                       static_cast<float>(top.logits[1] - log_sum_exp)};
  row.sampled_id = sampled_id;
  row.sampled_log_prob =
      static_cast<float>(scaled(static_cast<std::size_t>(sampled_id)) - log_sum_exp);
  row.log_sum_exp = static_cast<float>(log_sum_exp);
  row.entropy = static_cast<float>(std::log(sum) - weighted_sum / sum);
  if (sampling.target_id >= 0) {
    row.target_log_prob =
        static_cast<float>(scaled(static_cast<std::size_t>(sampling.target_id)) - log_sum_exp);
  }
  return row;
}

}  // namespace aios
