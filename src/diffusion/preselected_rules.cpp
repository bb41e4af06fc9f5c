#include "diffusion/preselected_rules.h"

#include <algorithm>

#include "diffusion/step_quota.h"

namespace aios {

std::vector<Reveal> PreselectedRule::reveal(const StepState& /*state*/,
                                            std::span<const int32_t> positions,
                                            std::span<const RowCandidates> rows) const {
  std::vector<Reveal> reveals;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    reveals.push_back({positions[row], rows[row].sampled_id, rows[row].sampled_log_prob});
  }
  return reveals;
}

std::vector<int32_t> RandomRule::wanted_positions(const StepState& state) const {
  std::vector<std::pair<double, int32_t>> order;
  for (const int32_t position : state.masked_positions) {
    order.emplace_back(state.uniform(position, kOrderNoise), position);
  }
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), static_cast<std::size_t>(state.quota)));
  std::vector<int32_t> positions;
  for (const auto& [uniform, position] : order) positions.push_back(position);
  std::sort(positions.begin(), positions.end());
  return positions;
}

std::vector<int32_t> SequentialRule::wanted_positions(const StepState& state) const {
  const auto count = std::min(state.masked_positions.size(), static_cast<std::size_t>(state.quota));
  const auto first = state.masked_positions.first(count);
  return {first.begin(), first.end()};
}

std::vector<int32_t> OriginRule::wanted_positions(const StepState& state) const {
  if (state.step_in_block + 1 >= state.num_steps) return RevealRule::wanted_positions(state);
  const float kept = eps_time(state.step_in_block + 1, state.num_steps, eps_) /
                     eps_time(state.step_in_block, state.num_steps, eps_);
  const double flips = static_cast<double>(1.0F - kept);
  std::vector<int32_t> positions;
  for (const int32_t position : state.masked_positions) {
    if (state.uniform(position, kOrderNoise) < flips) positions.push_back(position);
  }
  return positions;
}

std::vector<int32_t> FirstHittingRule::wanted_positions(const StepState& state) const {
  const std::size_t num_masked = state.masked_positions.size();
  const double uniform = state.uniform(state.block.begin, kOrderNoise);
  const auto index = static_cast<std::size_t>(uniform * static_cast<double>(num_masked));
  return {state.masked_positions[std::min(index, num_masked - 1)]};
}

}  // namespace aios
