#include "engine/score.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "aios/error.h"
#include "base/random.h"
#include "diffusion/likelihood.h"
#include "engine/core_denoiser.h"
#include "engine/score_windows.h"
#include "engine/stopwatch.h"

namespace aios {
namespace {

constexpr int64_t kBatchTokens = 2048;  // per pass through the network

int32_t begin_token(const LoadedModel& model) {
  if (model.token_rules().begin) return *model.token_rules().begin;
  throw InferenceError("this " + model.spec().family +
                       " model cannot score: neither config.json nor the tokenizer names a begin "
                       "token");
}

int32_t choose_window(const LoadedModel& model, int32_t wanted) {
  if (wanted <= model.max_length()) return wanted > 0 ? wanted : model.max_length();
  throw ConfigError("window: " + std::to_string(wanted) + " tokens are more than the model's " +
                    std::to_string(model.max_length()));
}

/// Minus the log probability of each window's scored tokens, summed: row i predicts token i + 1.
std::vector<double> causal_nats(const LoadedModel& model, std::span<const TextWindow> windows,
                                const ScoreConfig& config) {
  std::vector<double> nats;
  for (std::size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    if (config.cancellation.cancelled()) throw CancelledError("scoring was cancelled");
    std::vector<SequenceInput> batch;
    std::vector<int32_t> rows;
    std::vector<int32_t> targets;
    int32_t start = 0;
    for (; end < windows.size(); ++end) {
      const std::vector<int32_t>& ids = windows[end].token_ids;
      const auto length = static_cast<int32_t>(ids.size());
      if (!batch.empty() && start + length > kBatchTokens) break;
      batch.push_back({ids, nullptr});
      const int32_t first = windows[end].first_scored;
      for (int32_t i = first - 1; i + 1 < length; ++i) rows.push_back(start + i);
      targets.insert(targets.end(), ids.begin() + first, ids.end());
      start += length;
    }
    HeadRequest request;
    request.rows = rows;
    request.target_ids = targets;
    HeadResult result;
    model.core().score(batch, AttentionKind::kCausal, request, result);
    auto row = result.candidates.begin();
    for (std::size_t i = begin; i < end; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < windows[i].num_scored(); ++k) sum -= (row++)->target_log_prob;
      nats.push_back(sum);
    }
    if (config.progress) config.progress(std::ssize(nats), std::ssize(windows));
  }
  return nats;
}

/// Diffusion's bound, a few windows at a time. Nothing is suppressed: the bound holds for the model
/// as it is.
NatsEstimate diffusion_nats(const LoadedModel& model, std::span<const TextWindow> windows,
                            const ScoreConfig& config) {
  if (!model.token_rules().mask) {
    throw InferenceError("this " + model.spec().family +
                         " model has no mask token to diffuse with");
  }
  CoreDenoiser denoiser(model.core(), denoising_attention(model.spec()));
  const PhiloxUniformSource noise(config.seed);
  std::vector<ScoredWindow> scored;
  for (const TextWindow& window : windows) {
    scored.push_back({window.token_ids, window.first_scored});
  }
  const auto window_tokens = std::ssize(windows.front().token_ids) * config.num_draws;
  const auto at_once = static_cast<std::size_t>(std::max<int64_t>(1, kBatchTokens / window_tokens));
  std::vector<Masking> all_maskings;
  std::vector<double> all_nats;
  for (std::size_t first = 0; first < scored.size(); first += at_once) {
    if (config.cancellation.cancelled()) throw CancelledError("scoring was cancelled");
    const std::size_t count = std::min(at_once, scored.size() - first);
    const auto some = std::span<const ScoredWindow>(scored).subspan(first, count);
    const auto index = static_cast<int32_t>(first);
    std::vector<Masking> maskings =
        config.exact_count ? exact_count_maskings(some, config.num_draws, noise, index)
                           : nelbo_maskings(some, {.num_draws = config.num_draws}, noise, index);
    const std::vector<double> nats =
        masked_nats(denoiser, *model.token_rules().mask, {}, some, maskings, kBatchTokens);
    all_nats.insert(all_nats.end(), nats.begin(), nats.end());
    for (Masking& masking : maskings) {
      all_maskings.push_back({masking.window + index, {}, masking.weight});
    }
    if (config.progress) {
      config.progress(static_cast<int64_t>(first + count), std::ssize(windows));
    }
  }
  return estimate_nats(scored, all_maskings, all_nats);
}

}  // namespace

ScoreResult score_documents(const LoadedModel& model, std::span<const std::string> documents,
                            const ScoreConfig& config) {
  check_options(config);
  const bool causal = config.mode == ScoreMode::kAutoregressive;
  model.require(causal ? Mode::kGenerate : Mode::kDiffuse);
  Stopwatch watch;
  const int32_t window = choose_window(model, config.window);
  const std::vector<TextWindow> windows =
      cut_windows(documents, model.tokenizer(), begin_token(model), window, config);
  if (windows.empty()) throw InferenceError("nothing to score: the documents hold no token");

  ScoreResult result;
  result.seconds.tokenize = watch.lap();
  if (causal) {
    result.window_nats = causal_nats(model, windows, config);
  } else {
    NatsEstimate estimate = diffusion_nats(model, windows, config);
    result.standard_error = estimate.standard_error_per_token();
    result.window_nats = std::move(estimate.window_nats);
  }
  result.seconds.compute = watch.lap();
  result.seconds.total = watch.total();

  result.num_windows = std::ssize(windows);
  for (const TextWindow& scored : windows) {
    result.num_tokens += scored.num_scored();
    result.num_bytes += scored.num_bytes;
  }
  const double nats = std::accumulate(result.window_nats.begin(), result.window_nats.end(), 0.0);
  result.nats_per_token = nats / static_cast<double>(result.num_tokens);
  result.nats_per_byte = nats / static_cast<double>(std::max<int64_t>(result.num_bytes, 1));
  result.bits_per_byte = result.nats_per_byte / std::log(2.0);
  result.perplexity = std::exp(result.nats_per_token);
  return result;
}

}  // namespace aios
