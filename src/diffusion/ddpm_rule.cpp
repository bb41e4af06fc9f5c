#include "diffusion/ddpm_rule.h"

#include <algorithm>
#include <cmath>

#include "diffusion/step_quota.h"
#include "sampling/row_candidates.h"

namespace aios {

std::vector<Reveal> DdpmRule::reveal(const StepState& state, std::span<const int32_t> positions,
                                     std::span<const RowCandidates> rows) const {
  const int32_t num_noisy_steps = state.num_steps - 1;
  const bool is_last = state.step_in_block >= num_noisy_steps;
  double stays = 0;   // m(s)
  double leaves = 1;  // m(t) - m(s)
  if (!is_last) {
    const float time = eps_time(state.step_in_block, num_noisy_steps, eps_);
    const double step = (1.0 - static_cast<double>(eps_)) / num_noisy_steps;
    const float next_time = std::max(0.0F, time - static_cast<float>(step));
    stays = scheduler_.mask_prob_t(static_cast<double>(next_time));
    leaves = scheduler_.mask_prob_t(static_cast<double>(time)) - stays;
  }
  std::vector<Reveal> reveals;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const RowCandidates& candidates = rows[row];
    if (is_last) {
      reveals.push_back({positions[row], candidates.top_ids[0], candidates.top_log_probs[0]});
      continue;
    }
    const double mask_uniform = state.uniform(positions[row], mask_token_id_);
    const int32_t token_id = candidates.sampled_id;
    const auto log_prob = static_cast<double>(candidates.sampled_log_prob);
    const bool leaves_now =
        greedy_ ? mask_uniform * (leaves + stays) < leaves
                : log_prob + std::log(leaves) + gumbel(state.uniform(positions[row], token_id)) >
                      std::log(stays) + gumbel(mask_uniform);
    if (leaves_now) reveals.push_back({positions[row], token_id, candidates.sampled_log_prob});
  }
  return reveals;
}

}  // namespace aios
