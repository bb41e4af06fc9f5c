/// Noise schedules: how likely a token is masked at time t.
///
/// `t = 0` is clean, `t = 1` all masked. alpha(t) is the probability that a token is still
/// unmasked, m(t) = 1 - alpha(t) that it is masked, sigma(t) = -ln alpha(t) the total noise,
/// sigma'(t) its rate, and the weight of the continuous-time bound is w(t) = m'(t) / m(t) =
/// sigma'(t) / (e^sigma(t) - 1) (Sahoo et al., "Simple and Effective Masked Diffusion Language
/// Models", 2024), except where a repository's own formula differs, as noted.
/// With eps = 1e-3 and x = pi t / 2:
///
///   kind                   formula                                class
///   kLogLinear             sigma = -ln(1 - (1-eps) t)             mdlm LogLinearNoise
///   kCosineMdlm            alpha = eps + (1-eps) cos x            mdlm CosineNoise
///   kCosineSquared         alpha = eps + (1-eps) cos^2 x          mdlm CosineSqrNoise
///   kLinearMdlm            sigma = sigma_min + t (sigma_max - sigma_min), 0 to 10   mdlm Linear
///   kGeometric             sigma = sigma_min^(1-t) sigma_max^t, 1e-3 to 1    mdlm GeometricNoise
///   kPolynomialSquare      m = max(t^2, eps), w = 2 t / m         bd3lms ExpNoise(2)
///   kPolynomialSquareRoot  m = max(t^(1/2), eps), w = t^(-1/2) / (2 m)       bd3lms ExpNoise(0.5)
///   kLogarithmic           m = ln(1 + t) / ln 2                   bd3lms LogarithmicNoise
///   kCosineBd3lm           m = 1 - (1-eps) cos x, w = m' / (m + eps)         bd3lms CosineNoise
///   kLogLinearBd3lm        m = t, w = 1/t                         bd3lms LogLinearNoise
///   kLinear                m = t, w = 1/t                         LLaDA (Nie et al. 2025)
///   kCosineDllm            m = sin x, w = m' / (m + 1e-6)         dllm CosineAlphaScheduler
///
/// mdlm: kuleshov-group/mdlm@c112c52 noise_schedule.py; bd3lms: kuleshov-group/bd3lms@1c3e8f4
/// noise_schedule.py (its loss_scaling is -w); dllm: ZHZisZZ/dllm@ca17675 core/schedulers/alpha.py,
/// whose LinearAlphaScheduler is kLinear but for w = 1 / (t + 1e-6).
///
/// A scheduler is a value without state; safe to share between threads.
#pragma once

#include "aios/config.h"

namespace aios {

/// Ends of sigma for kLinearMdlm and kGeometric.
struct SigmaRange {
  double sigma_min = 0;
  double sigma_max = 0;
};

/// What a schedule says of one time.
struct NoiseLevel {
  double alpha = 1;      ///< alpha(t)
  double mask_prob = 0;  ///< m(t)
  double mask_rate = 0;  ///< m'(t)
  double loss_weight = 0;
};

class NoiseScheduler {
 public:
  /// With the repositories' default sigma range.
  explicit NoiseScheduler(ScheduleKind kind);
  /// @throws ConfigError unless 0 <= sigma_min < sigma_max (0 < for kGeometric), both finite
  NoiseScheduler(ScheduleKind kind, SigmaRange range);

  /// All of these: @throws ConfigError unless 0 <= t <= 1. Infinite where the formula is.
  [[nodiscard]] NoiseLevel level(double t) const;
  [[nodiscard]] double alpha_t(double t) const { return level(t).alpha; }
  [[nodiscard]] double mask_prob_t(double t) const { return level(t).mask_prob; }
  [[nodiscard]] double sigma_t(double t) const;
  [[nodiscard]] double dsigma_t(double t) const;
  [[nodiscard]] double loss_weight_t(double t) const { return level(t).loss_weight; }

 private:
  using Formula = NoiseLevel (*)(double t, const SigmaRange& range);
  Formula formula_;
  SigmaRange range_;
};

}  // namespace aios
