/// What a denoiser thinks of hidden tokens: the step between drawing maskings and adding up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffusion/denoiser.h"

namespace aios {

/// A text to score. Tokens before `first_scored` are given: never masked, not counted.
struct ScoredWindow {
  std::span<const int32_t> token_ids;
  int32_t first_scored = 1;
  [[nodiscard]] int64_t num_scored() const noexcept {
    return static_cast<int64_t>(token_ids.size()) - first_scored;
  }
};

/// One draw: some positions of one window are hidden.
struct Masking {
  int32_t window = 0;
  std::vector<int32_t> positions;  ///< ascending
  double weight = 1;               ///< of the hidden tokens' nats in the window's estimate
};

/// Sum of -ln p(token | rest) over the hidden positions, per masking, from as few calls as
/// `max_tokens_per_call` allows.
/// @param suppressed_token_ids ascending; ruled out before the softmax (MDLM's SUBS rules out the
/// mask)
/// @throws InferenceError if a masking names positions outside its window or out of order, a hidden
/// token is suppressed, or the scores are not numbers
std::vector<double> masked_nats(Denoiser& denoiser, int32_t mask_token_id,
                                std::span<const int32_t> suppressed_token_ids,
                                std::span<const ScoredWindow> windows,
                                std::span<const Masking> maskings,
                                int64_t max_tokens_per_call = 4096);

}  // namespace aios
