/// LLaDA2.1: masks are revealed as in LLaDA2.0, and what was revealed may be replaced.
///
/// In the current block every token that is neither mask nor given is replaced where the new one
/// differs and has p > editing_threshold, in the same step as the reveals. Once no masks are left,
/// up to max_post_steps more steps follow; the first without an edit is the last.
/// (ZHZisZZ/dllm@ca17675 pipelines/llada21/sampler.py)
#pragma once

#include "diffusion/ranked_rule.h"

namespace aios {

class EditingRule final : public RevealRule {
 public:
  EditingRule(double threshold, double editing_threshold, int32_t max_post_steps)
      : reveal_masks_(confidence_score, dynamic_count(threshold)),
        editing_threshold_(editing_threshold),
        max_post_steps_(max_post_steps) {}

  /// All positions of the block that were never given.
  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;
  [[nodiscard]] std::vector<Reveal> reveal(const StepState& state,
                                           std::span<const int32_t> positions,
                                           std::span<const RowCandidates> rows) const override;
  [[nodiscard]] bool wants_post_step(int32_t num_post_steps, int32_t num_changes) const override;
  [[nodiscard]] bool edits() const override { return true; }

 private:
  RankedRule reveal_masks_;
  double editing_threshold_;
  int32_t max_post_steps_;
};

}  // namespace aios
