/// Ancestral sampling of MDLM, `ddpm` and `ddpm_cache`.
///
/// From time t to s < t, a mask becomes token v with probability p(v) (m(t) - m(s)) / m(t) and
/// stays a mask with m(s) / m(t). Drawn as MDLM does (kuleshov-group/mdlm@c112c52 diffusion.py,
/// _ddpm_caching_update and _sample_categorical): one Gumbel race of all tokens and the mask, whose
/// random number is the mask token's own. Times are linspace(1, eps, num_steps + 1) in float32,
/// s = t - (1 - eps) / num_steps; one more step fills what is left with the likeliest tokens.
/// At temperature 0 tokens are the likeliest and only the times are random.
#pragma once

#include "diffusion/noise_scheduler.h"
#include "diffusion/reveal_rule.h"

namespace aios {

class DdpmRule final : public RevealRule {
 public:
  DdpmRule(const NoiseScheduler& scheduler, float eps, bool greedy, int32_t mask_token_id)
      : scheduler_(scheduler), eps_(eps), greedy_(greedy), mask_token_id_(mask_token_id) {}

  [[nodiscard]] std::vector<Reveal> reveal(const StepState& state,
                                           std::span<const int32_t> positions,
                                           std::span<const RowCandidates> rows) const override;

 private:
  NoiseScheduler scheduler_;
  float eps_;
  bool greedy_;
  int32_t mask_token_id_;
};

}  // namespace aios
