/// One pass over a tile of one row's logits: all that samplers want to know of it.
#pragma once

#include <cstdint>

namespace aios {

/// Summary of a stretch of logits. Sums are relative to the stretch's largest scaled logit m:
/// with d = logit / temperature - m, `sum_exp` = sum e^d, `sum_exp_shifted` = sum d e^d.
struct LogitSummary {
  float top_logits[2];     // the two largest, -infinity where there is none
  int32_t top_indices[2];  // within the stretch, ties to the smaller; -1 where there is none
  double sum_exp;
  double sum_exp_shifted;
};

/// logits [size]; -infinity counts as absent. The order of the sums depends on `size` alone.
using LogitScanFunction = void (*)(const float* logits, int64_t size, float temperature,
                                   LogitSummary& summary) noexcept;

void scan_logits_reference(const float* logits, int64_t size, float temperature,
                           LogitSummary& summary) noexcept;

}  // namespace aios
