/// Every remasking kind, composed of small parts: how a token is drawn, how many masks a step
/// reveals (`step_quota.h`), and which (the rules).
///
///   kind                   draw       steps                 rule
///   random                 LLaDA      even quota *          RandomRule
///   low_confidence         LLaDA      even quota *          RankedRule: p
///   confidence_threshold   LLaDA      until done            RankedRule: p, threshold
///   factor, factor_nvlabs  LLaDA      until done            RankedRule: p, factor
///   origin                 tempered   num_steps             OriginRule
///   maskgit_plus           tempered   eps quota             RankedRule: p
///   topk_margin            tempered   eps quota             RankedRule: p1 - p2
///   entropy                tempered   eps quota             RankedRule: -H
///   ddpm, ddpm_cache       tempered   num_steps + 1         DdpmRule
///   first_hitting          tempered   until done            FirstHittingRule
///   low_confidence_static  tempered   even quota of block   RankedRule: p
///   low_confidence_dynamic tempered   even quota of block   RankedRule: p, dynamic
///   sequential             tempered   even quota of block   SequentialRule
///   editing                tempered   until done            EditingRule
///   entropy_bound          tempered   until done            RankedRule: -H, entropy bound
///
/// *  with a schedule other than `kLinear`, that schedule's quota (dLLM).
/// Until done: each step reveals at least one mask; `num_steps` is not used.
/// LLaDA's draw is argmax logit + T g, and p is untempered; the others' is argmax logit / T + g,
/// and p, margin and entropy are tempered (LLaDA generate.py add_gumbel_noise; Dream
/// sample_tokens).
///
/// Immutable and safe to share between threads. All random numbers come from the caller's source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "aios/config.h"
#include "diffusion/reveal_rule.h"

namespace aios {

/// The steps planned for a block.
struct StepPlan {
  int32_t num_steps = 0;        ///< 0: as many as it takes
  std::vector<int32_t> quotas;  ///< per step; empty: 1
};

/// What a plan depends on.
struct PlanInput {
  int32_t num_masks = 0;  ///< of the block
  int32_t block_length = 0;
  int32_t num_steps = 0;  ///< this block's share; 0: as many as reveal one token each
};
using Planner = std::function<StepPlan(const PlanInput&)>;

/// How a row of logits becomes a token. See `HeadRequest`.
struct TokenDraw {
  float softmax_temperature = 1.0F;
  float gumbel_scale = 0.0F;
};

struct DiscreteSampler {
  TokenDraw draw;
  Planner planner;
  std::shared_ptr<const RevealRule> rule;
  /// Keep a canvas's rows and draw from them again while no token of it changes.
  bool reuses_rows = false;
  /// Dream filters by top-p before top-k, all others after it.
  bool filters_top_p_first = false;

  /// The sampler of `config.remasking`.
  /// @throws ConfigError as `check_diffusion_config`
  static DiscreteSampler make(const DiffusionConfig& config, int32_t mask_token_id);
};

/// Planners, for composing.
[[nodiscard]] Planner plan_even_quota();
[[nodiscard]] Planner plan_even_block_quota();
[[nodiscard]] Planner plan_eps_quota(float eps);
[[nodiscard]] Planner plan_schedule_quota(ScheduleKind schedule);
/// @param extra_steps steps beyond the block's share
[[nodiscard]] Planner plan_times(int32_t extra_steps);
[[nodiscard]] Planner plan_until_done();

}  // namespace aios
