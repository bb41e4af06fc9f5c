#include "diffusion/masked_nats.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

/// The canvases of one call and the tokens they hide.
struct Batch {
  std::vector<std::vector<int32_t>> canvases;
  std::vector<const Masking*> maskings;
  std::vector<int32_t> target_ids;
};

void check_masking(const Masking& masking, std::span<const ScoredWindow> windows,
                   int64_t vocab_size) {
  if (masking.window < 0 || static_cast<std::size_t>(masking.window) >= windows.size()) {
    throw InferenceError("a masking names window " + std::to_string(masking.window) + " of " +
                         std::to_string(windows.size()));
  }
  const auto token_ids = windows[static_cast<std::size_t>(masking.window)].token_ids;
  const auto length = static_cast<int32_t>(token_ids.size());
  int32_t previous = -1;
  for (const int32_t position : masking.positions) {
    if (position <= previous || position >= length) {
      throw InferenceError("a masking of window " + std::to_string(masking.window) +
                           " hides position " + std::to_string(position) + " after " +
                           std::to_string(previous) + "; positions must ascend within its " +
                           std::to_string(length) + " tokens");
    }
    previous = position;
    const int32_t id = token_ids[static_cast<std::size_t>(position)];
    if (id < 0 || id >= vocab_size) {
      throw InferenceError("window " + std::to_string(masking.window) + " holds token id " +
                           std::to_string(id) + " at position " + std::to_string(position) +
                           ", outside the vocabulary of " + std::to_string(vocab_size));
    }
  }
}

void append(Batch& batch, const Masking& masking, std::span<const int32_t> token_ids,
            int32_t mask_token_id) {
  batch.canvases.emplace_back(token_ids.begin(), token_ids.end());
  batch.maskings.push_back(&masking);
  for (const int32_t position : masking.positions) {
    int32_t& id = batch.canvases.back()[static_cast<std::size_t>(position)];
    batch.target_ids.push_back(id);
    id = mask_token_id;
  }
}

/// Appends one number per masking of the batch.
void score(const Batch& batch, Denoiser& denoiser, std::span<const int32_t> suppressed_token_ids,
           std::vector<double>& nats) {
  std::vector<DenoiseInput> inputs;
  for (std::size_t i = 0; i < batch.canvases.size(); ++i) {
    if (batch.maskings[i]->positions.empty()) continue;
    inputs.push_back({static_cast<int32_t>(i), batch.canvases[i], batch.maskings[i]->positions,
                      CacheAction::kNone});
  }
  HeadResult result;
  HeadRequest request;
  request.suppressed_token_ids = suppressed_token_ids;
  request.target_ids = batch.target_ids;
  if (!inputs.empty()) denoiser.denoise(inputs, request, result);

  std::size_t row = 0;
  for (const Masking* masking : batch.maskings) {
    double sum = 0;
    for (const int32_t position : masking->positions) {
      const auto log_prob = static_cast<double>(result.candidates[row++].target_log_prob);
      if (!std::isfinite(log_prob)) {
        throw InferenceError("the token at position " + std::to_string(position) + " of window " +
                             std::to_string(masking->window) +
                             " has no likelihood: it is suppressed, or the network's scores are "
                             "not numbers");
      }
      sum -= log_prob;
    }
    nats.push_back(sum);
  }
}

}  // namespace

std::vector<double> masked_nats(Denoiser& denoiser, int32_t mask_token_id,
                                std::span<const int32_t> suppressed_token_ids,
                                std::span<const ScoredWindow> windows,
                                std::span<const Masking> maskings, int64_t max_tokens_per_call) {
  std::vector<double> nats;
  Batch batch;
  int64_t num_tokens = 0;
  for (const Masking& masking : maskings) {
    check_masking(masking, windows, denoiser.vocab_size());
    const auto token_ids = windows[static_cast<std::size_t>(masking.window)].token_ids;
    const auto length = static_cast<int64_t>(token_ids.size());
    if (num_tokens > 0 && num_tokens + length > max_tokens_per_call) {
      score(batch, denoiser, suppressed_token_ids, nats);
      batch = {};
      num_tokens = 0;
    }
    append(batch, masking, token_ids, mask_token_id);
    num_tokens += length;
  }
  score(batch, denoiser, suppressed_token_ids, nats);
  return nats;
}

}  // namespace aios
