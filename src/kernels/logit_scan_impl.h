/// logit_scan.h on vectors.
#pragma once

#include "kernels/elementwise_impl.h"
#include "kernels/logit_scan.h"

namespace aios {
namespace {

/// The two largest of each lane's share, with their indices as floats: exact below 2^24.
template <typename Isa>
struct LaneTops {
  using Vector = typename Isa::Vector;
  Vector logits[2] = {Isa::fill(-__builtin_inff()), Isa::fill(-__builtin_inff())};
  Vector indices[2] = {Isa::fill(-1), Isa::fill(-1)};

  /// Indices ascend from call to call, so that ties keep the smaller.
  void add(Vector logit, Vector index) noexcept {
    const auto beats_first = Isa::less(logits[0], logit);
    const auto beats_second = Isa::less(logits[1], logit);
    const Vector second = Isa::select(beats_first, logits[0], logit);
    const Vector second_index = Isa::select(beats_first, indices[0], index);
    logits[1] = Isa::select(beats_second, second, logits[1]);
    indices[1] = Isa::select(beats_second, second_index, indices[1]);
    logits[0] = Isa::select(beats_first, logit, logits[0]);
    indices[0] = Isa::select(beats_first, index, indices[0]);
  }

  void merge_into(LogitSummary& summary) const noexcept {
    float lane_logits[2][Isa::kLanes];
    float lane_indices[2][Isa::kLanes];
    for (int i = 0; i < 2; ++i) {
      Isa::store(lane_logits[i], logits[i]);
      Isa::store(lane_indices[i], indices[i]);
    }
    for (int i = 0; i < 2; ++i) {
      for (int lane = 0; lane < Isa::kLanes; ++lane) {
        insert(summary, lane_logits[i][lane], static_cast<int32_t>(lane_indices[i][lane]));
      }
    }
  }

 private:
  static bool precedes(float logit, int32_t index, const LogitSummary& s, int place) noexcept {
    return logit > s.top_logits[place] ||
           (logit == s.top_logits[place] && index < s.top_indices[place]);
  }
  static void insert(LogitSummary& s, float logit, int32_t index) noexcept {
    if (index < 0) return;
    if (s.top_indices[0] < 0 || precedes(logit, index, s, 0)) {
      s.top_logits[1] = s.top_logits[0];
      s.top_indices[1] = s.top_indices[0];
      s.top_logits[0] = logit;
      s.top_indices[0] = index;
    } else if (s.top_indices[1] < 0 || precedes(logit, index, s, 1)) {
      s.top_logits[1] = logit;
      s.top_indices[1] = index;
    }
  }
};

/// Adds the sums of a stretch. Absent logits give e^d = 0 with d limited, not 0 * infinity.
template <typename Isa>
void scan_logits(const float* logits, int64_t size, float temperature,
                 LogitSummary& summary) noexcept {
  using Vector = typename Isa::Vector;
  const Vector absent = Isa::fill(-__builtin_inff());
  const auto load = [&](int64_t i) {
    if (i + Isa::kLanes <= size) return Isa::load(logits + i);
    const auto inside = Isa::less(Isa::lane_indices(), Isa::fill(static_cast<float>(size - i)));
    return Isa::select(inside, Isa::load_part(logits + i, size - i), absent);
  };
  summary = {{-__builtin_inff(), -__builtin_inff()}, {-1, -1}, 0, 0};
  LaneTops<Isa> tops;
  Vector indices = Isa::lane_indices();
  for (int64_t i = 0; i < size; i += Isa::kLanes) {
    tops.add(load(i), indices);
    indices = Isa::add(indices, Isa::fill(Isa::kLanes));
  }
  tops.merge_into(summary);
  if (summary.top_indices[0] < 0) return;

  const Vector divisor = Isa::fill(temperature);
  const Vector maximum = Isa::fill(summary.top_logits[0] / temperature);
  Vector sum = Isa::zero();
  Vector shifted_sum = Isa::zero();
  for (int64_t i = 0; i < size; i += Isa::kLanes) {
    const Vector shifted = Isa::sub(Isa::div(load(i), divisor), maximum);
    const Vector limited = Isa::max(Isa::fill(-100.0F), shifted);
    const Vector weight = exp<Isa>(limited);
    sum = Isa::add(sum, weight);
    shifted_sum = Isa::fma(weight, limited, shifted_sum);
  }
  summary.sum_exp = static_cast<double>(Isa::sum(sum));
  summary.sum_exp_shifted = static_cast<double>(Isa::sum(shifted_sum));
}

}  // namespace
}  // namespace aios
