#include "diffusion/editing_rule.h"

#include <algorithm>

namespace aios {

std::vector<int32_t> EditingRule::wanted_positions(const StepState& state) const {
  std::vector<int32_t> positions;
  for (int32_t position = state.block.begin; position < state.block.end; ++position) {
    if (state.given[static_cast<std::size_t>(position)] == 0) positions.push_back(position);
  }
  return positions;
}

std::vector<Reveal> EditingRule::reveal(const StepState& state, std::span<const int32_t> positions,
                                        std::span<const RowCandidates> rows) const {
  std::vector<int32_t> masked_positions;
  std::vector<RowCandidates> masked_rows;
  std::vector<Reveal> edits;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const int32_t position = positions[row];
    const int32_t token_id = rows[row].sampled_id;
    if (std::binary_search(state.masked_positions.begin(), state.masked_positions.end(),
                           position)) {
      masked_positions.push_back(position);
      masked_rows.push_back(rows[row]);
    } else if (token_id != state.token_ids[static_cast<std::size_t>(position)] &&
               confidence_score(rows[row]) > editing_threshold_) {
      edits.push_back({position, token_id, rows[row].sampled_log_prob});
    }
  }
  std::vector<Reveal> reveals;
  if (!masked_rows.empty()) reveals = reveal_masks_.reveal(state, masked_positions, masked_rows);
  reveals.insert(reveals.end(), edits.begin(), edits.end());
  return reveals;
}

bool EditingRule::wants_post_step(int32_t num_post_steps, int32_t num_changes) const {
  return num_post_steps < max_post_steps_ && (num_post_steps == 0 || num_changes > 0);
}

}  // namespace aios
