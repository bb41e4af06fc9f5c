/// Rules that rank the masks by a score and reveal the best.
///
/// Such a rule is a score and a count: how sure is the network of a position, and how many of the
/// surest are revealed. Ties go to the smaller position.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "diffusion/reveal_rule.h"

namespace aios {

using Score = double (*)(const RowCandidates& row);

/// Probability of the token drawn: LLaDA low_confidence, Dream maskgit_plus, Fast-dLLM, SDAR.
[[nodiscard]] double confidence_score(const RowCandidates& row);
/// p1 - p2 of the two likeliest tokens: Dream topk_margin.
[[nodiscard]] double margin_score(const RowCandidates& row);
/// -H in nats: Dream entropy, whose sum p ln(p + 1e-10) is the same to 1e-8.
[[nodiscard]] double negative_entropy_score(const RowCandidates& row);

/// How many of the ranked masks to reveal. `scores` descend and are not empty. At most as many as
/// there are scores.
using Count = std::function<std::size_t(std::span<const double> scores, int32_t quota)>;

/// The quota, capped at the masks there are.
[[nodiscard]] std::size_t quota_count(std::span<const double> scores, int32_t quota);
/// All with p >= threshold, at least one. Fast-dLLM (NVlabs/Fast-dLLM@24cc59e llada/generate.py).
[[nodiscard]] Count threshold_count(double threshold);
/// Rank r = 1, 2, ... goes while p >= 1 - factor / (r + 1); the first always goes. Fast-dLLM as in
/// ZHZisZZ/dllm@ca17675 pipelines/fastdllm/llada/sampler.py (which counts all passing ranks: the
/// same, as p falls with r and the bound rises).
[[nodiscard]] Count factor_count(double factor);
/// As `factor_count`; when only the last rank fails, it goes as well. Fast-dLLM's later
/// get_transfer_index_dynamic.
[[nodiscard]] Count factor_nvlabs_count(double factor);
/// All with p > threshold if they fill the quota, else the quota. SDAR low_confidence_dynamic
/// (JetAstra/SDAR@c2041a8 generate.py), LLaDA2.0 (dllm pipelines/llada2/sampler.py).
[[nodiscard]] Count dynamic_count(double threshold);
/// Lowest entropy first while the entropies of those before sum to at most `bound` nats; the first
/// always goes. Ben-Hamu et al. 2025 (EB-Sampler), DiffusionGemma. Ranks by negative entropy.
[[nodiscard]] Count entropy_bound_count(double bound);

class RankedRule final : public RevealRule {
 public:
  /// @param alg_temp > 0: instead of the best, positions are drawn without replacement with
  /// probabilities softmax(score / alg_temp) (Dream generation_utils.py), by Gumbel-top-k. For
  /// rules that count by quota.
  RankedRule(Score score, Count count, double alg_temp = 0)
      : score_(score), count_(std::move(count)), alg_temp_(alg_temp) {}

  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;
  [[nodiscard]] std::vector<Reveal> reveal(const StepState& state,
                                           std::span<const int32_t> positions,
                                           std::span<const RowCandidates> rows) const override;

 private:
  Score score_;
  Count count_;
  double alg_temp_;
};

}  // namespace aios
