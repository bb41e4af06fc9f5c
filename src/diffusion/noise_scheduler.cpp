#include "diffusion/noise_scheduler.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

using std::numbers::ln2;
using std::numbers::pi;

constexpr double kEps = 1e-3;

/// A schedule whose weight is the bound's own, m' / m.
NoiseLevel from_mask_prob(double mask_prob, double mask_rate) {
  return {1 - mask_prob, mask_prob, mask_rate, mask_rate / mask_prob};
}

NoiseLevel from_sigma(double sigma, double dsigma) {
  const double alpha = std::exp(-sigma);
  return {alpha, -std::expm1(-sigma), dsigma * alpha, dsigma / std::expm1(sigma)};
}

NoiseLevel log_linear(double t, const SigmaRange& /*range*/) {
  return from_mask_prob((1 - kEps) * t, 1 - kEps);
}

/// 1 - cos x as 2 sin^2(x / 2), which keeps its digits at small x.
NoiseLevel cosine_mdlm(double t, const SigmaRange& /*range*/) {
  const double half_sine = std::sin(pi * t / 4);
  return from_mask_prob((1 - kEps) * 2 * half_sine * half_sine,
                        (1 - kEps) * pi / 2 * std::sin(pi * t / 2));
}

NoiseLevel cosine_squared(double t, const SigmaRange& /*range*/) {
  const double sine = std::sin(pi * t / 2);
  return from_mask_prob((1 - kEps) * sine * sine, (1 - kEps) * pi / 2 * std::sin(pi * t));
}

NoiseLevel linear_mdlm(double t, const SigmaRange& range) {
  const double rate = range.sigma_max - range.sigma_min;
  return from_sigma(range.sigma_min + t * rate, rate);
}

NoiseLevel geometric(double t, const SigmaRange& range) {
  const double sigma = std::pow(range.sigma_min, 1 - t) * std::pow(range.sigma_max, t);
  return from_sigma(sigma, sigma * std::log(range.sigma_max / range.sigma_min));
}

/// Below eps the mask probability stands still, but the weight keeps the power's slope.
NoiseLevel polynomial(double t, double exponent) {
  const double mask_prob = std::max(std::pow(t, exponent), kEps);
  return from_mask_prob(mask_prob, exponent * std::pow(t, exponent - 1));
}

NoiseLevel polynomial_square(double t, const SigmaRange& /*range*/) { return polynomial(t, 2); }

NoiseLevel polynomial_square_root(double t, const SigmaRange& /*range*/) {
  return polynomial(t, 0.5);
}

NoiseLevel logarithmic(double t, const SigmaRange& /*range*/) {
  return from_mask_prob(std::log1p(t) / ln2, 1 / (ln2 * (1 + t)));
}

NoiseLevel cosine_bd3lm(double t, const SigmaRange& /*range*/) {
  const double mask_prob = 1 - (1 - kEps) * std::cos(pi * t / 2);
  const double mask_rate = (1 - kEps) * pi / 2 * std::sin(pi * t / 2);
  return {1 - mask_prob, mask_prob, mask_rate, mask_rate / (mask_prob + kEps)};
}

NoiseLevel linear(double t, const SigmaRange& /*range*/) { return from_mask_prob(t, 1); }

NoiseLevel cosine_dllm(double t, const SigmaRange& /*range*/) {
  const double mask_prob = std::cos(pi / 2 * (1 - t));
  const double mask_rate = pi / 2 * std::sin(pi / 2 * (1 - t));
  return {1 - mask_prob, mask_prob, mask_rate, mask_rate / (mask_prob + 1e-6)};
}

struct Schedule {
  ScheduleKind kind;
  NoiseLevel (*formula)(double t, const SigmaRange& range);
  SigmaRange range{};
};

constexpr Schedule kSchedules[] = {
    {ScheduleKind::kLogLinear, log_linear},
    {ScheduleKind::kCosineMdlm, cosine_mdlm},
    {ScheduleKind::kCosineSquared, cosine_squared},
    {ScheduleKind::kLinearMdlm, linear_mdlm, {0, 10}},
    {ScheduleKind::kGeometric, geometric, {1e-3, 1}},
    {ScheduleKind::kPolynomialSquare, polynomial_square},
    {ScheduleKind::kPolynomialSquareRoot, polynomial_square_root},
    {ScheduleKind::kLogarithmic, logarithmic},
    {ScheduleKind::kCosineBd3lm, cosine_bd3lm},
    {ScheduleKind::kLogLinearBd3lm, linear},
    {ScheduleKind::kLinear, linear},
    {ScheduleKind::kCosineDllm, cosine_dllm},
};

const Schedule& find(ScheduleKind kind) {
  const auto* const found =
      std::find_if(std::begin(kSchedules), std::end(kSchedules),
                   [kind](const Schedule& schedule) { return schedule.kind == kind; });
  if (found == std::end(kSchedules)) throw ConfigError("unknown noise schedule");
  return *found;
}

}  // namespace

NoiseScheduler::NoiseScheduler(ScheduleKind kind)
    : formula_(find(kind).formula), range_(find(kind).range) {}

NoiseScheduler::NoiseScheduler(ScheduleKind kind, SigmaRange range) : NoiseScheduler(kind) {
  const bool above_zero = kind != ScheduleKind::kGeometric || range.sigma_min > 0;
  if (!(range.sigma_min >= 0 && range.sigma_min < range.sigma_max && above_zero &&
        std::isfinite(range.sigma_max))) {
    throw ConfigError("the schedule needs 0 <= sigma_min < sigma_max (0 < for geometric), not " +
                      std::to_string(range.sigma_min) + " and " + std::to_string(range.sigma_max));
  }
  range_ = range;
}

NoiseLevel NoiseScheduler::level(double t) const {
  if (!(t >= 0 && t <= 1)) {
    throw ConfigError("a diffusion time must lie in [0, 1], not " + std::to_string(t));
  }
  return formula_(t, range_);
}

double NoiseScheduler::sigma_t(double t) const {
  const NoiseLevel at = level(t);
  return at.mask_prob < 0.5 ? -std::log1p(-at.mask_prob) : -std::log(at.alpha);
}

double NoiseScheduler::dsigma_t(double t) const {
  const NoiseLevel at = level(t);
  return at.mask_rate / at.alpha;
}

}  // namespace aios
