#include "diffusion/likelihood.h"

#include <cmath>
#include <map>
#include <numeric>

#include "aios/error.h"
#include "diffusion/noise_scheduler.h"
#include "diffusion/testing/exact_denoiser.h"

namespace aios {
namespace {

using test::ExactDenoiser;

constexpr int32_t kMask = ExactDenoiser::kMask;
constexpr int32_t kSuppressed[] = {kMask};

const std::vector<std::vector<int32_t>> kTexts = {{0, 2, 0, 1}, {0, 1, 1, 2}};

std::vector<ScoredWindow> windows_of(const std::vector<std::vector<int32_t>>& texts) {
  std::vector<ScoredWindow> windows;
  for (const auto& text : texts) windows.push_back({text, 1});
  return windows;
}

double exact_nats(const ExactDenoiser& denoiser) {
  double nats = 0;
  for (const auto& text : kTexts) nats -= std::log(denoiser.probability(text));
  return nats;
}

NatsEstimate estimate(ExactDenoiser& denoiser, const std::vector<Masking>& maskings) {
  const auto windows = windows_of(kTexts);
  return estimate_nats(windows, maskings,
                       masked_nats(denoiser, kMask, kSuppressed, windows, maskings));
}

/// Five standard errors: a fair estimate fails once in 1.7 million seeds.
void expect_near(const NatsEstimate& estimate, double exact, double bias = 0) {
  EXPECT_NEAR(estimate.nats, exact, 5 * estimate.standard_error + bias);
  EXPECT_LT(estimate.standard_error, 0.05 * exact) << "the test says nothing";
}

// The value is the exact likelihood, whatever the schedule; it lacks what lies below t_min and
// above m(1), a fraction m(t_min) + 1 - m(1).
TEST(Likelihood, NelboIsExactForAnExactDenoiserUnderEverySchedule) {
  for (const ScheduleKind kind :
       {ScheduleKind::kLinear, ScheduleKind::kLogLinear, ScheduleKind::kCosineMdlm,
        ScheduleKind::kCosineSquared, ScheduleKind::kLinearMdlm, ScheduleKind::kPolynomialSquare,
        ScheduleKind::kLogarithmic, ScheduleKind::kLogLinearBd3lm}) {
    SCOPED_TRACE(static_cast<int>(kind));
    ExactDenoiser denoiser;
    NelboOptions options;
    options.schedule = kind;
    options.num_draws = 6000;
    const auto windows = windows_of(kTexts);
    const PhiloxUniformSource noise(3);
    const NoiseScheduler scheduler(kind);
    const double missing = scheduler.mask_prob_t(options.t_min) + 1 - scheduler.mask_prob_t(1);
    // A hidden token costs at most -ln of the smallest conditional, below 6 nats here.
    expect_near(estimate(denoiser, nelbo_maskings(windows, options, noise)), exact_nats(denoiser),
                missing * 6 * 6);
  }
}

TEST(Likelihood, ExactCountIsExactForAnExactDenoiser) {
  ExactDenoiser denoiser;
  const auto windows = windows_of(kTexts);
  const auto maskings = exact_count_maskings(windows, 6000, PhiloxUniformSource(4));
  expect_near(estimate(denoiser, maskings), exact_nats(denoiser));
}

// With L draws of L scored tokens every count comes once.
TEST(Likelihood, ExactCountsAreStratified) {
  const std::vector<int32_t> text(11, 0);
  const std::vector<ScoredWindow> windows = {{text, 1}};
  const auto maskings = exact_count_maskings(windows, 10, PhiloxUniformSource(5));
  std::vector<std::size_t> counts;
  for (const Masking& masking : maskings) {
    counts.push_back(masking.positions.size());
    EXPECT_DOUBLE_EQ(masking.weight, 10.0 / static_cast<double>(masking.positions.size()));
  }
  std::sort(counts.begin(), counts.end());
  std::vector<std::size_t> expected(10);
  std::iota(expected.begin(), expected.end(), std::size_t{1});
  EXPECT_EQ(counts, expected);
}

// Over many repetitions the squared error agrees with the squared standard error.
TEST(Likelihood, StandardErrorIsCalibrated) {
  ExactDenoiser denoiser;
  const double exact = exact_nats(denoiser);
  const auto windows = windows_of(kTexts);
  NelboOptions options;
  options.num_draws = 8;
  double squared_errors = 0;
  double variances = 0;
  constexpr int kRepetitions = 4000;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const auto maskings = nelbo_maskings(windows, options, PhiloxUniformSource(6), 2 * repetition);
    const NatsEstimate result = estimate(denoiser, maskings);
    squared_errors += (result.nats - exact) * (result.nats - exact);
    variances += result.standard_error * result.standard_error;
  }
  // Never too small by more than chance, and at most a third too large.
  EXPECT_GT(variances / squared_errors, 0.8);
  EXPECT_LT(variances / squared_errors, 1.33);
}

// With one draw per window the error comes from the spread of the windows.
TEST(Likelihood, OneDrawPerWindowStillHasAnError) {
  ExactDenoiser denoiser;
  NelboOptions options;
  options.num_draws = 1;
  const auto maskings = nelbo_maskings(windows_of(kTexts), options, PhiloxUniformSource(9));
  EXPECT_GT(estimate(denoiser, maskings).standard_error, 0);
}

TEST(Likelihood, GivenMasksAreScoredAsTheyAre) {
  ExactDenoiser denoiser;
  const auto windows = windows_of(kTexts);
  const std::vector<Masking> maskings = {{0, {2}, 1}, {1, {1, 3}, 1}, {1, {}, 1}};
  const auto nats = masked_nats(denoiser, kMask, kSuppressed, windows, maskings);
  const auto at = [&](const std::vector<int32_t>& ids) { return denoiser.probability(ids); };
  const double first = at({0, 2, 0, 1}) / at({0, 2, kMask, 1});
  EXPECT_NEAR(nats[0], -std::log(first), 1e-6);
  const double rest = at({0, kMask, 1, kMask});
  const double second = at({0, 1, 1, kMask}) / rest * at({0, kMask, 1, 2}) / rest;
  EXPECT_NEAR(nats[1], -std::log(second), 1e-6);
  EXPECT_EQ(nats[2], 0);
  EXPECT_EQ(denoiser.num_calls, 1);
  EXPECT_EQ(denoiser.num_canvases, 2);  // nothing hidden, nothing asked
}

TEST(Likelihood, CallsAreCutWithoutChangingTheResult) {
  ExactDenoiser together;
  ExactDenoiser apart;
  const auto windows = windows_of(kTexts);
  const auto maskings = nelbo_maskings(windows, {}, PhiloxUniformSource(1));
  EXPECT_EQ(masked_nats(together, kMask, kSuppressed, windows, maskings),
            masked_nats(apart, kMask, kSuppressed, windows, maskings, 4));
  EXPECT_EQ(together.num_calls, 1);
  EXPECT_GT(apart.num_calls, 8);
}

TEST(Likelihood, WindowsDoNotDependOnOneAnother) {
  const auto windows = windows_of(kTexts);
  const PhiloxUniformSource noise(2);
  const auto both = nelbo_maskings(windows, {}, noise);
  const auto second = nelbo_maskings(std::span(windows).subspan(1), {}, noise, 1);
  for (std::size_t draw = 0; draw < second.size(); ++draw) {
    EXPECT_EQ(both[second.size() + draw].positions, second[draw].positions);
    EXPECT_EQ(both[second.size() + draw].weight, second[draw].weight);
  }
}

TEST(Likelihood, TheSameTokensAreHiddenWhateverStandsBeforeThem) {
  const std::vector<int32_t> text(32, 2);
  const std::vector<int32_t> longer(40, 2);
  const PhiloxUniformSource noise(5);
  const auto alone = nelbo_maskings(std::vector<ScoredWindow>{{text, 1}}, {}, noise);
  const auto behind = nelbo_maskings(std::vector<ScoredWindow>{{longer, 9}}, {}, noise);
  ASSERT_EQ(alone.size(), behind.size());
  for (std::size_t draw = 0; draw < alone.size(); ++draw) {
    std::vector<int32_t> moved = alone[draw].positions;
    for (int32_t& position : moved) position += 8;
    EXPECT_EQ(moved, behind[draw].positions);
  }
}

TEST(Likelihood, RefusesBadInput) {
  ExactDenoiser denoiser;
  const auto windows = windows_of(kTexts);
  const PhiloxUniformSource noise(2);
  NelboOptions options;
  options.num_draws = 0;
  EXPECT_THROW(nelbo_maskings(windows, options, noise), ConfigError);
  EXPECT_THROW(exact_count_maskings(windows, -1, noise), ConfigError);
  options = {};
  options.t_min = std::nan("");
  EXPECT_THROW(nelbo_maskings(windows, options, noise), ConfigError);
  const std::vector<ScoredWindow> only_begin = {{std::span(kTexts[0]).first(1), 1}};
  EXPECT_THROW(nelbo_maskings(only_begin, {}, noise), InferenceError);

  const auto score = [&](const Masking& masking, std::vector<int32_t> suppressed = {kMask}) {
    return masked_nats(denoiser, kMask, suppressed, windows, std::span(&masking, 1));
  };
  EXPECT_THROW(score({0, {4}, 1}), InferenceError);
  EXPECT_THROW(score({0, {2, 1}, 1}), InferenceError);
  EXPECT_THROW(score({2, {1}, 1}), InferenceError);
  EXPECT_THROW(score({0, {1}, 1}, {2, kMask}), InferenceError);  // the hidden token is suppressed
  const std::vector<int32_t> foreign = {0, 99, 0, 0};
  const std::vector<ScoredWindow> foreign_windows = {{foreign, 1}};
  const Masking masking{0, {1}, 1};
  EXPECT_THROW(masked_nats(denoiser, kMask, kSuppressed, foreign_windows, std::span(&masking, 1)),
               InferenceError);
}

}  // namespace
}  // namespace aios
