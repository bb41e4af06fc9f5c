#include "kernels/logit_scan.h"

#include <cmath>
#include <limits>

namespace aios {

void scan_logits_reference(const float* logits, int64_t size, float temperature,
                           LogitSummary& summary) noexcept {
  constexpr float kAbsent = -std::numeric_limits<float>::infinity();
  summary = {{kAbsent, kAbsent}, {-1, -1}, 0, 0};
  for (int64_t i = 0; i < size; ++i) {
    const auto index = static_cast<int32_t>(i);
    if (logits[i] > summary.top_logits[0]) {
      summary.top_logits[1] = summary.top_logits[0];
      summary.top_indices[1] = summary.top_indices[0];
      summary.top_logits[0] = logits[i];
      summary.top_indices[0] = index;
    } else if (logits[i] > summary.top_logits[1]) {
      summary.top_logits[1] = logits[i];
      summary.top_indices[1] = index;
    }
  }
  const float maximum = summary.top_logits[0] / temperature;
  for (int64_t i = 0; i < size; ++i) {
    if (logits[i] == kAbsent) continue;
    const double shifted = logits[i] / temperature - maximum;
    const double weight = std::exp(shifted);
    summary.sum_exp += weight;
    summary.sum_exp_shifted += weight * shifted;
  }
}

}  // namespace aios
