/// How many masks each step of a block reveals.
///
/// Each function returns one number per step. They sum to `num_masks`, so that a block always ends
/// without masks. Arithmetic is the references', precision included: in double, some rows differ.
#pragma once

#include <cstdint>
#include <vector>

#include "diffusion/noise_scheduler.h"

namespace aios {

/// floor(M / S) + [step < M mod S]. ML-GSAI/LLaDA generate.py get_num_transfer_tokens; SDAR and
/// LLaDA2.0 give the block length for M, and cap each step at the masks left.
[[nodiscard]] std::vector<int32_t> even_quota(int32_t num_masks, int32_t num_steps);

/// floor(n (1 - s/t)) of the n masks left, with t and s neighbours in linspace(1, eps, S + 1); the
/// last step takes the rest. Dream generation_utils.py; times and product in float32.
[[nodiscard]] std::vector<int32_t> eps_quota(int32_t num_masks, int32_t num_steps, float eps);

/// round(n (1 - m(s)/m(t))) of the n masks left, with t and s neighbours in (S, S-1, ..., 0) / S;
/// steps with nothing to reveal are dropped; the last step takes the rest. dllm
/// core/samplers/utils.py get_num_transfer_tokens; m in float32, product in double, half to even.
[[nodiscard]] std::vector<int32_t> schedule_quota(int32_t num_masks, int32_t num_steps,
                                                  const NoiseScheduler& scheduler);

/// Entry `index` of torch.linspace(1, eps, num_steps + 1) in float32, which counts from the nearer
/// end.
[[nodiscard]] float eps_time(int32_t index, int32_t num_steps, float eps) noexcept;

}  // namespace aios
