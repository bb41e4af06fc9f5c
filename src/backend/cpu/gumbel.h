/// The Gumbel-max trick: argmax of logit / temperature + scale * g, with g = -ln(-ln u) and u
/// uniform, is a sample of softmax(logit / (temperature * scale)) (Gumbel, 1954).
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "tensor/head.h"

namespace aios {

struct GumbelWinner {
  double score = -std::numeric_limits<double>::infinity();
  int32_t id = -1;
  float logit = 0;
};

/// Over the tokens first_id, first_id + 1, ... of `logits`; those of -infinity are left out. Ties
/// to the smaller id. Scores are in double; u = 0 counts as the smallest normal number.
[[nodiscard]] GumbelWinner find_gumbel_winner(std::span<const float> logits,
                                              const HeadRequest& request, const NoiseKey& key,
                                              int32_t first_id) noexcept;

}  // namespace aios
