#include "diffusion/step_quota.h"

#include <algorithm>
#include <cmath>

namespace aios {

std::vector<int32_t> even_quota(int32_t num_masks, int32_t num_steps) {
  std::vector<int32_t> quotas(static_cast<std::size_t>(num_steps), num_masks / num_steps);
  std::fill_n(quotas.begin(), num_masks % num_steps, num_masks / num_steps + 1);
  return quotas;
}

float eps_time(int32_t index, int32_t num_steps, float eps) noexcept {
  const float step = (eps - 1.0F) / static_cast<float>(num_steps);
  return index < (num_steps + 1) / 2 ? 1.0F + step * static_cast<float>(index)
                                     : eps - step * static_cast<float>(num_steps - index);
}

std::vector<int32_t> eps_quota(int32_t num_masks, int32_t num_steps, float eps) {
  std::vector<int32_t> quotas;
  int32_t left = num_masks;
  for (int32_t step = 0; step < num_steps; ++step) {
    const float kept = eps_time(step + 1, num_steps, eps) / eps_time(step, num_steps, eps);
    const bool is_last = step == num_steps - 1;
    const int32_t quota =
        is_last ? left : static_cast<int32_t>(static_cast<float>(left) * (1.0F - kept));
    quotas.push_back(quota);
    left -= quota;
  }
  return quotas;
}

std::vector<int32_t> schedule_quota(int32_t num_masks, int32_t num_steps,
                                    const NoiseScheduler& scheduler) {
  std::vector<int32_t> quotas;
  int32_t left = num_masks;
  for (int32_t step = num_steps; step > 0 && left > 0; --step) {
    const auto mask_prob = [&](int32_t numerator) {
      const auto time = static_cast<float>(static_cast<double>(numerator) / num_steps);
      return 1.0F - static_cast<float>(scheduler.alpha_t(static_cast<double>(time)));
    };
    const float revealed = 1.0F - mask_prob(step - 1) / mask_prob(step);
    const double expected = static_cast<double>(left) * static_cast<double>(revealed);
    const int32_t quota =
        step == 1 ? left : std::clamp(static_cast<int32_t>(std::nearbyint(expected)), 0, left);
    if (quota > 0) quotas.push_back(quota);
    left -= quota;
  }
  return quotas;
}

}  // namespace aios
