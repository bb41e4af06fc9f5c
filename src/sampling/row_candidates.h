/// A row of logits to what a sampler needs of it, in double precision.
///
/// The slow, clear counterpart of a head's fused `kCandidates` pass, with the same results: used
/// where a rule had to touch whole rows first (top-k, top-p, penalties, guidance).
#pragma once

#include <cstdint>
#include <span>

#include "tensor/head.h"

namespace aios {

/// Fields as in `HeadRequest`.
struct RowSampling {
  double softmax_temperature = 1.0;
  double gumbel_scale = 0.0;
  const UniformSource* noise = nullptr;  ///< needed when gumbel_scale > 0
  NoiseKey key;
  int32_t target_id = -1;  ///< -1: none
};

/// Standard Gumbel noise -ln(-ln u) of a uniform number u in [0, 1).
[[nodiscard]] double gumbel(double uniform) noexcept;

/// Tokens with logit -infinity have no part in it. `sampled_id` is -1 if no token is left, or if
/// the row holds a NaN.
[[nodiscard]] RowCandidates row_candidates(std::span<const float> logits,
                                           const RowSampling& sampling) noexcept;

}  // namespace aios
