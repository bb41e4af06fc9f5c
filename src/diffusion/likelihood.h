/// How likely a text is to a masked-diffusion model: bounds by Monte Carlo, in nats.
///
/// Three steps, so that each can be replaced: draw maskings (which positions are hidden, and with
/// what weight their loss counts), ask the network for the nats of the hidden tokens, add up.
///
///   nelbo_maskings: the continuous-time bound (Sahoo et al. 2024, MDLM),
///       NLL <= E_t [ w(t) * sum over masked i of -ln p(x_i | x_t) ],
///     each position masked with probability m(t). The value does not depend on the schedule, the
///     variance does.
///   exact_count_maskings: LLaDA's estimator (ML-GSAI/LLaDA get_log_likelihood.py): of the L
///     scored positions exactly k, k uniform in 1 ... L, weight L / k.
///
/// The draws of a window are stratified: MDLM's antithetic times, t = t_min + (1 - t_min) u with
/// u_i = (u_i / n + i / n) mod 1; LLaDA's counts, L / n apart. All sums are in double.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aios/config.h"
#include "base/random.h"
#include "diffusion/masked_nats.h"

namespace aios {

struct NelboOptions {
  ScheduleKind schedule = ScheduleKind::kLinear;
  int32_t num_draws = 8;  ///< per window
  double t_min = 1e-3;
};

/// `num_draws` maskings of each window, window by window. Random numbers are named by the window's
/// index, the draw and the place among the scored tokens (from 1 on), so windows do not depend on
/// one another, and the same tokens are hidden whatever stands before them.
/// @param first_window index of windows[0] in the whole corpus
/// @throws ConfigError on num_draws outside 1 ... 100000 or t_min outside (0, 1); InferenceError on
/// a window without scored tokens
std::vector<Masking> nelbo_maskings(std::span<const ScoredWindow> windows,
                                    const NelboOptions& options, const UniformSource& noise,
                                    int32_t first_window = 0);
std::vector<Masking> exact_count_maskings(std::span<const ScoredWindow> windows, int32_t num_draws,
                                          const UniformSource& noise, int32_t first_window = 0);

struct NatsEstimate {
  std::vector<double> window_nats;  ///< per window: mean over its draws
  int64_t num_tokens = 0;
  double nats = 0;  ///< of all windows
  /// Of `nats`: the draws' own error, as if the same windows were scored again. From differences of
  /// neighbouring draws of a window, which leave out most of what stratification takes away; a
  /// little too large rather than too small. With one draw per window, from the spread of the
  /// windows.
  double standard_error = 0;
  [[nodiscard]] double nats_per_token() const noexcept {
    return nats / static_cast<double>(num_tokens);
  }
  [[nodiscard]] double standard_error_per_token() const noexcept {
    return standard_error / static_cast<double>(num_tokens);
  }
};

/// @param maskings of these windows, window by window, at least one each
/// @param nats one number per masking
/// @throws InferenceError if a window has no masking
NatsEstimate estimate_nats(std::span<const ScoredWindow> windows, std::span<const Masking> maskings,
                           std::span<const double> nats);

}  // namespace aios
