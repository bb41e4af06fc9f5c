#include "diffusion/likelihood.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "aios/error.h"
#include "diffusion/noise_scheduler.h"

namespace aios {
namespace {

// In the place of token ids, name the random numbers of maskings.
constexpr int32_t kTimeNoise = -1;
constexpr int32_t kMaskNoise = -2;

constexpr int32_t kMaxDraws = 100'000;  // each is held in memory

void check_windows(std::span<const ScoredWindow> windows, int32_t num_draws) {
  if (num_draws < 1 || num_draws > kMaxDraws) {
    throw ConfigError("num_draws must lie in 1 ... 100000, not " + std::to_string(num_draws));
  }
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].first_scored < 0 || windows[i].num_scored() < 1) {
      throw InferenceError("window " + std::to_string(i) + " has " +
                           std::to_string(windows[i].token_ids.size()) +
                           " tokens, none of them to be scored");
    }
  }
}

/// Positions whose number is below `threshold`.
std::vector<int32_t> mask_below(const ScoredWindow& window, const std::vector<double>& uniforms,
                                double threshold) {
  std::vector<int32_t> positions;
  for (std::size_t i = 0; i < uniforms.size(); ++i) {
    if (uniforms[i] < threshold) {
      positions.push_back(window.first_scored + static_cast<int32_t>(i));
    }
  }
  return positions;
}

std::vector<double> mask_uniforms(const ScoredWindow& window, const UniformSource& noise,
                                  int32_t window_index, int32_t draw) {
  std::vector<double> uniforms;
  for (int32_t i = 0; i < window.num_scored(); ++i) {
    uniforms.push_back(noise.uniform(window_index, draw, 1 + i, kMaskNoise));
  }
  return uniforms;
}

}  // namespace

std::vector<Masking> nelbo_maskings(std::span<const ScoredWindow> windows,
                                    const NelboOptions& options, const UniformSource& noise,
                                    int32_t first_window) {
  check_windows(windows, options.num_draws);
  if (!(options.t_min > 0 && options.t_min < 1)) {
    throw ConfigError("t_min must lie between 0 and 1, not " + std::to_string(options.t_min));
  }
  const NoiseScheduler scheduler(options.schedule);
  std::vector<Masking> maskings;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const int32_t index = first_window + static_cast<int32_t>(i);
    for (int32_t draw = 0; draw < options.num_draws; ++draw) {
      const double u =
          (noise.uniform(index, draw, 0, kTimeNoise) + draw) / options.num_draws;  // stratum
      const NoiseLevel level = scheduler.level(options.t_min + (1 - options.t_min) * u);
      const auto uniforms = mask_uniforms(windows[i], noise, index, draw);
      maskings.push_back({static_cast<int32_t>(i),
                          mask_below(windows[i], uniforms, level.mask_prob), level.loss_weight});
    }
  }
  return maskings;
}

std::vector<Masking> exact_count_maskings(std::span<const ScoredWindow> windows, int32_t num_draws,
                                          const UniformSource& noise, int32_t first_window) {
  check_windows(windows, num_draws);
  std::vector<Masking> maskings;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const int32_t index = first_window + static_cast<int32_t>(i);
    const int64_t length = windows[i].num_scored();
    const double uniform = noise.uniform(index, 0, 0, kTimeNoise);
    const auto first_count = static_cast<int64_t>(uniform * static_cast<double>(length));
    for (int32_t draw = 0; draw < num_draws; ++draw) {
      const int64_t count = (first_count + draw * length / num_draws) % length + 1;
      const auto uniforms = mask_uniforms(windows[i], noise, index, draw);
      std::vector<double> sorted = uniforms;
      std::sort(sorted.begin(), sorted.end());
      const double threshold = count < length ? sorted[static_cast<std::size_t>(count)] : 1.0;
      maskings.push_back({static_cast<int32_t>(i), mask_below(windows[i], uniforms, threshold),
                          static_cast<double>(length) / static_cast<double>(count)});
    }
  }
  return maskings;
}

NatsEstimate estimate_nats(std::span<const ScoredWindow> windows, std::span<const Masking> maskings,
                           std::span<const double> nats) {
  NatsEstimate estimate;
  double variance = 0;
  std::size_t next = 0;
  for (std::size_t window = 0; window < windows.size(); ++window) {
    std::vector<double> draws;
    for (; next < maskings.size() && maskings[next].window == static_cast<int32_t>(window);
         ++next) {
      draws.push_back(maskings[next].weight * nats[next]);
    }
    if (draws.empty())
      throw InferenceError("window " + std::to_string(window) + " has no maskings");
    const auto num_draws = static_cast<double>(draws.size());
    double sum = 0;
    double squared_differences = 0;  // of neighbours, the last and the first among them
    for (std::size_t draw = 0; draw < draws.size(); ++draw) {
      const double difference = draws[draw] - draws[(draw + 1) % draws.size()];
      squared_differences += difference * difference;
      sum += draws[draw];
    }
    estimate.window_nats.push_back(sum / num_draws);
    estimate.nats += sum / num_draws;
    estimate.num_tokens += windows[window].num_scored();
    variance += squared_differences / (2 * num_draws * num_draws);
  }
  if (maskings.size() == windows.size() && windows.size() > 1) {
    const auto count = static_cast<double>(windows.size());
    for (std::size_t window = 0; window < windows.size(); ++window) {
      const double expected =
          estimate.nats_per_token() * static_cast<double>(windows[window].num_scored());
      const double difference = estimate.window_nats[window] - expected;
      variance += difference * difference * count / (count - 1);
    }
  }
  estimate.standard_error = std::sqrt(variance);
  return estimate;
}

}  // namespace aios
