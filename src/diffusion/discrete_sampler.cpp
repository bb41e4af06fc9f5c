#include "diffusion/discrete_sampler.h"

#include <algorithm>
#include <string>

#include "aios/error.h"
#include "diffusion/check_config.h"
#include "diffusion/ddpm_rule.h"
#include "diffusion/editing_rule.h"
#include "diffusion/preselected_rules.h"
#include "diffusion/ranked_rule.h"
#include "diffusion/step_quota.h"

namespace aios {
namespace {

StepPlan with_quotas(std::vector<int32_t> quotas) {
  return {static_cast<int32_t>(quotas.size()), std::move(quotas)};
}

/// The block's share of steps, or `otherwise` when none is prescribed.
int32_t steps_or(const PlanInput& input, int32_t otherwise) {
  return input.num_steps > 0 ? input.num_steps : std::max(1, otherwise);
}

TokenDraw llada_draw(const DiffusionConfig& config) { return {1.0F, config.temperature}; }

TokenDraw tempered_draw(const DiffusionConfig& config) {
  return config.temperature > 0 ? TokenDraw{config.temperature, 1.0F} : TokenDraw{};
}

Planner plan_llada(const DiffusionConfig& config) {
  return config.schedule == ScheduleKind::kLinear ? plan_even_quota()
                                                  : plan_schedule_quota(config.schedule);
}

using Rule = std::shared_ptr<const RevealRule>;

Rule ranked(Score score, Count count, double alg_temp = 0) {
  return std::make_shared<RankedRule>(score, std::move(count), alg_temp);
}

Rule dream(const DiffusionConfig& config, Score score) {
  return ranked(score, quota_count, static_cast<double>(config.alg_temp));
}

Rule ddpm(const DiffusionConfig& config, int32_t mask_token_id) {
  return std::make_shared<DdpmRule>(NoiseScheduler(config.schedule), config.eps,
                                    config.temperature == 0, mask_token_id);
}

using Make = DiscreteSampler (*)(const DiffusionConfig& config, int32_t mask_token_id);

struct Kind {
  Remasking remasking;
  Make make;
};

// One line per kind; the parts are explained in the header.
constexpr Kind kKinds[] = {
    {Remasking::kRandom,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {llada_draw(c), plan_llada(c), std::make_shared<RandomRule>()};
     }},
    {Remasking::kLowConfidence,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {llada_draw(c), plan_llada(c), ranked(confidence_score, quota_count)};
     }},
    {Remasking::kConfidenceThreshold,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {
           llada_draw(c), plan_until_done(),
           ranked(confidence_score, threshold_count(static_cast<double>(c.confidence_threshold)))};
     }},
    {Remasking::kFactor,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {llada_draw(c), plan_until_done(),
               ranked(confidence_score, factor_count(static_cast<double>(c.factor)))};
     }},
    {Remasking::kFactorNvlabs,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {llada_draw(c), plan_until_done(),
               ranked(confidence_score, factor_nvlabs_count(static_cast<double>(c.factor)))};
     }},
    {Remasking::kOrigin,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_times(0), std::make_shared<OriginRule>(c.eps), false, true};
     }},
    {Remasking::kMaskgitPlus,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_eps_quota(c.eps), dream(c, confidence_score), false, true};
     }},
    {Remasking::kTopkMargin,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_eps_quota(c.eps), dream(c, margin_score), false, true};
     }},
    {Remasking::kEntropy,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_eps_quota(c.eps), dream(c, negative_entropy_score), false,
               true};
     }},
    {Remasking::kDdpm,
     [](const DiffusionConfig& c, int32_t mask_token_id) -> DiscreteSampler {
       return {tempered_draw(c), plan_times(1), ddpm(c, mask_token_id)};
     }},
    {Remasking::kDdpmCache,
     [](const DiffusionConfig& c, int32_t mask_token_id) -> DiscreteSampler {
       return {tempered_draw(c), plan_times(1), ddpm(c, mask_token_id), true};
     }},
    {Remasking::kFirstHitting,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_until_done(), std::make_shared<FirstHittingRule>()};
     }},
    {Remasking::kLowConfidenceStatic,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_even_block_quota(), ranked(confidence_score, quota_count)};
     }},
    {Remasking::kLowConfidenceDynamic,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {
           tempered_draw(c), plan_even_block_quota(),
           ranked(confidence_score, dynamic_count(static_cast<double>(c.confidence_threshold)))};
     }},
    {Remasking::kSequential,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_even_block_quota(), std::make_shared<SequentialRule>()};
     }},
    {Remasking::kEditing,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_until_done(),
               std::make_shared<EditingRule>(static_cast<double>(c.confidence_threshold),
                                             static_cast<double>(c.editing_threshold),
                                             c.max_post_steps)};
     }},
    {Remasking::kEntropyBound,
     [](const DiffusionConfig& c, int32_t) -> DiscreteSampler {
       return {tempered_draw(c), plan_until_done(),
               ranked(negative_entropy_score,
                      entropy_bound_count(static_cast<double>(c.entropy_bound)))};
     }},
};

}  // namespace

Planner plan_even_quota() {
  return [](const PlanInput& input) {
    return with_quotas(even_quota(input.num_masks, steps_or(input, input.num_masks)));
  };
}

Planner plan_even_block_quota() {
  return [](const PlanInput& input) {
    return with_quotas(even_quota(input.block_length, steps_or(input, input.block_length)));
  };
}

Planner plan_eps_quota(float eps) {
  return [eps](const PlanInput& input) {
    return with_quotas(eps_quota(input.num_masks, steps_or(input, input.num_masks), eps));
  };
}

Planner plan_schedule_quota(ScheduleKind schedule) {
  return [scheduler = NoiseScheduler(schedule)](const PlanInput& input) {
    return with_quotas(
        schedule_quota(input.num_masks, steps_or(input, input.num_masks), scheduler));
  };
}

Planner plan_times(int32_t extra_steps) {
  return [extra_steps](const PlanInput& input) {
    return StepPlan{steps_or(input, input.num_masks) + extra_steps, {}};
  };
}

Planner plan_until_done() {
  return [](const PlanInput& /*input*/) { return StepPlan{}; };
}

DiscreteSampler DiscreteSampler::make(const DiffusionConfig& config, int32_t mask_token_id) {
  check_diffusion_config(config);
  for (const Kind& kind : kKinds) {
    if (kind.remasking == config.remasking) return kind.make(config, mask_token_id);
  }
  throw ConfigError("unknown remasking kind");
}

}  // namespace aios
