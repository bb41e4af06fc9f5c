#include "sampling/row_filters.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace aios {
namespace {

float largest(std::span<const float> logits) noexcept {
  return *std::max_element(logits.begin(), logits.end());
}

/// Weights relative to the likeliest token; ruled-out tokens weigh nothing.
double total_weight(std::span<const float> logits, double maximum) noexcept {
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit) - maximum);
  return total;
}

}  // namespace

bool is_valid_row(std::span<const float> logits) noexcept {
  return std::all_of(logits.begin(), logits.end(), [](float logit) { return logit < -kRuledOut; });
}

void suppress_tokens(std::span<float> logits, std::span<const int32_t> token_ids) noexcept {
  for (const int32_t id : token_ids) {
    if (id >= 0 && static_cast<std::size_t>(id) < logits.size()) {
      logits[static_cast<std::size_t>(id)] = kRuledOut;
    }
  }
}

void apply_temperature(std::span<float> logits, float temperature) noexcept {
  for (float& logit : logits) logit /= temperature;
}

void apply_top_k(std::span<float> logits, int32_t top_k) {
  if (top_k <= 0 || static_cast<std::size_t>(top_k) >= logits.size()) return;
  std::vector<float> sorted(logits.begin(), logits.end());
  const auto last_kept = sorted.begin() + (top_k - 1);
  std::nth_element(sorted.begin(), last_kept, sorted.end(), std::greater<>());
  for (float& logit : logits) {
    if (logit < *last_kept) logit = kRuledOut;
  }
}

void apply_top_p(std::span<float> logits, float top_p) {
  if (top_p >= 1.0F || logits.empty()) return;
  const double maximum = largest(logits);
  const double enough = static_cast<double>(top_p) * total_weight(logits, maximum);

  // A heap hands out the likeliest tokens first (ties: smaller id) without sorting the rest.
  std::vector<int32_t> heap(logits.size());
  std::iota(heap.begin(), heap.end(), 0);
  const auto less_likely = [logits](int32_t a, int32_t b) {
    const float logit_a = logits[static_cast<std::size_t>(a)];
    const float logit_b = logits[static_cast<std::size_t>(b)];
    return logit_a != logit_b ? logit_a < logit_b : a > b;
  };
  std::make_heap(heap.begin(), heap.end(), less_likely);
  double kept = 0;
  auto heap_end = heap.end();
  while (heap_end != heap.begin() && kept < enough) {
    std::pop_heap(heap.begin(), heap_end, less_likely);
    --heap_end;
    kept += std::exp(static_cast<double>(logits[static_cast<std::size_t>(*heap_end)]) - maximum);
  }
  for (auto id = heap.begin(); id != heap_end; ++id) {
    logits[static_cast<std::size_t>(*id)] = kRuledOut;
  }
}

void apply_min_p(std::span<float> logits, float min_p) noexcept {
  if (min_p <= 0.0F || logits.empty()) return;
  const double threshold =
      static_cast<double>(largest(logits)) + std::log(static_cast<double>(min_p));
  for (float& logit : logits) {
    if (static_cast<double>(logit) < threshold) logit = kRuledOut;
  }
}

}  // namespace aios
