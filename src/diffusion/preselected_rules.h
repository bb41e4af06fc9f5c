/// Rules that choose positions without asking the network, which then predicts only those.
#pragma once

#include <vector>

#include "diffusion/reveal_rule.h"

namespace aios {

/// Reveals every wanted position with the token drawn for it.
class PreselectedRule : public RevealRule {
 public:
  [[nodiscard]] std::vector<Reveal> reveal(const StepState& state,
                                           std::span<const int32_t> positions,
                                           std::span<const RowCandidates> rows) const final;
};

/// LLaDA `random`: a quota of masks, all sets equally likely.
class RandomRule final : public PreselectedRule {
 public:
  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;
};

/// SDAR `sequential`: the first masks from the left. SDAR writes consecutive positions and so may
/// overwrite given ones; here only masks are filled.
class SequentialRule final : public PreselectedRule {
 public:
  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;
};

/// Dream `origin`: every mask flips with probability 1 - s/t, for neighbouring times t > s of
/// linspace(1, eps, num_steps + 1); in the last step all do. (Dream generation_utils.py)
class OriginRule final : public PreselectedRule {
 public:
  explicit OriginRule(float eps) : eps_(eps) {}
  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;

 private:
  float eps_;
};

/// BD3-LM `first_hitting` (Zheng et al. 2025; kuleshov-group/bd3lms@1c3e8f4 diffusion.py): the next
/// token to be unmasked is uniform among the masks. The time at which it happens,
/// t u^(1 / num_masked), is not drawn: the networks here are given no time, so it changes nothing.
class FirstHittingRule final : public PreselectedRule {
 public:
  [[nodiscard]] std::vector<int32_t> wanted_positions(const StepState& state) const override;
};

}  // namespace aios
