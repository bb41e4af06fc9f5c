#include "diffusion/noise_scheduler.h"

#include <cmath>
#include <limits>
#include <map>

#include "aios/error.h"
#include "diffusion/testing/golden_file.h"

namespace aios {
namespace {

using nlohmann::json;
using test::read_golden;

constexpr double kRelative = 1e-12;
/// The references compute alpha, or 1 - alpha, by a subtraction near 1: off by a few units of
/// 2^-53.
constexpr double kAbsolute = 4 * std::numeric_limits<double>::epsilon();

double at(const json& table, std::size_t index) {
  const json& value = table.at(index);
  return value.is_null() ? std::numeric_limits<double>::infinity() : value.get<double>();
}

/// Compares a function of t with a table.
/// @param loss of relative accuracy in the reference at entry i
void compare(
    const json& times, const json& table, const std::function<double(double)>& function,
    const std::function<double(std::size_t)>& loss = [](std::size_t) { return 0; }) {
  ASSERT_EQ(times.size(), table.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double t = times.at(i).get<double>();
    const double expected = at(table, i);
    const double value = function(t);
    if (std::isinf(expected)) {
      EXPECT_TRUE(std::isinf(value) || std::isnan(value)) << "t = " << t << ": " << value;
      continue;
    }
    EXPECT_NEAR(value, expected, kAbsolute + (kRelative + loss(i)) * std::abs(expected))
        << "t = " << t;
  }
}

/// A quantity computed from a probability p that lost digits: relative error 2^-52 / p.
std::function<double(std::size_t)> loss_of(const json& probabilities) {
  return [&probabilities](std::size_t i) {
    return 2 * std::numeric_limits<double>::epsilon() / std::max(at(probabilities, i), 1e-300);
  };
}

TEST(NoiseScheduler, MatchesMdlm) {
  const json golden = read_golden("schedules/noise_schedules.json");
  const json& t = golden.at("t");
  const std::map<std::string, NoiseScheduler> schedulers = {
      {"loglinear", NoiseScheduler(ScheduleKind::kLogLinear)},
      {"cosine", NoiseScheduler(ScheduleKind::kCosineMdlm)},
      {"cosinesqr", NoiseScheduler(ScheduleKind::kCosineSquared)},
      {"linear_0_10", NoiseScheduler(ScheduleKind::kLinearMdlm)},
      {"linear_class_other", NoiseScheduler(ScheduleKind::kLinearMdlm, {0.01, 5})},
      {"geometric_1e-3_1", NoiseScheduler(ScheduleKind::kGeometric)},
      {"geometric_1e-4_20", NoiseScheduler(ScheduleKind::kGeometric, {1e-4, 20})},
  };
  ASSERT_EQ(golden.at("mdlm").size(), schedulers.size());
  for (const auto& entry : schedulers) {
    const std::string& name = entry.first;
    const NoiseScheduler& scheduler = entry.second;
    SCOPED_TRACE(name);
    const json& table = golden.at("mdlm").at(name);
    const auto mask_loss = loss_of(table.at("mask_prob"));
    const auto alpha_loss = loss_of(table.at("alpha"));
    compare(t, table.at("alpha"), [&](double time) { return scheduler.alpha_t(time); });
    compare(t, table.at("mask_prob"), [&](double time) { return scheduler.mask_prob_t(time); });
    compare(
        t, table.at("sigma"), [&](double time) { return scheduler.sigma_t(time); }, mask_loss);
    compare(
        t, table.at("dsigma"), [&](double time) { return scheduler.dsigma_t(time); }, alpha_loss);
    compare(
        t, table.at("weight_dsigma_over_expm1_sigma"),
        [&](double time) { return scheduler.loss_weight_t(time); },
        [&](std::size_t i) { return mask_loss(i) + alpha_loss(i); });
  }
}

// mdlm's importance sampling takes times at which ln m(t) is uniform between m = 1 - e^-0.001 and
// m(1), with both ends in float32, the lower off by up to 2^-25 / 1e-3.
TEST(NoiseScheduler, MatchesMdlmImportanceTimes) {
  const json golden = read_golden("schedules/mdlm_importance.json");
  const NoiseScheduler scheduler(ScheduleKind::kLogLinear);
  const double low = -std::expm1(-1e-3);
  const double high = scheduler.mask_prob_t(1);
  for (std::size_t i = 0; i < golden.at("t").size(); ++i) {
    const double u = golden.at("t").at(i).get<double>();
    const double time = std::min(1.0, golden.at("loglinear_importance").at(i).get<double>());
    const double expected = std::pow(low, 1 - u) * std::pow(high, u);
    EXPECT_NEAR(scheduler.mask_prob_t(time), expected, 3e-5 * expected) << u;
  }
}

TEST(NoiseScheduler, MatchesBd3lms) {
  const json golden = read_golden("schedules/noise_schedules.json");
  const std::map<std::string, ScheduleKind> kinds = {
      {"loglinear", ScheduleKind::kLogLinearBd3lm},
      {"square", ScheduleKind::kPolynomialSquare},
      {"square_root", ScheduleKind::kPolynomialSquareRoot},
      {"log", ScheduleKind::kLogarithmic},
      {"cosine", ScheduleKind::kCosineBd3lm},
  };
  ASSERT_EQ(golden.at("bd3lms").size(), kinds.size());
  for (const auto& [name, kind] : kinds) {
    SCOPED_TRACE(name);
    const NoiseScheduler scheduler(kind);
    const json& table = golden.at("bd3lms").at(name);
    compare(golden.at("t"), table.at("move_chance"),
            [&](double time) { return scheduler.mask_prob_t(time); });
    compare(golden.at("t"), table.at("weight"),
            [&](double time) { return scheduler.loss_weight_t(time); });
  }
}

// dLLM adds 1e-6 to the weight's denominator; kLinear is LLaDA's, without it.
TEST(NoiseScheduler, MatchesDllm) {
  const json golden = read_golden("schedules/noise_schedules.json");
  const std::map<std::string, ScheduleKind> kinds = {{"Linear", ScheduleKind::kLinear},
                                                     {"Cosine", ScheduleKind::kCosineDllm}};
  ASSERT_EQ(golden.at("dllm").size(), kinds.size());
  for (const auto& [name, kind] : kinds) {
    SCOPED_TRACE(name);
    const NoiseScheduler scheduler(kind);
    const json& table = golden.at("dllm").at(name);
    compare(golden.at("t"), table.at("alpha"),
            [&](double time) { return scheduler.alpha_t(time); });
    compare(golden.at("t"), table.at("alpha_derivative"),
            [&](double time) { return -scheduler.level(time).mask_rate; });
    // 1 - alpha of order 1e-6 and more is off by 1.1e-16 in the reference.
    compare(
        golden.at("t"), table.at("weight"),
        [&](double time) {
          const NoiseLevel level = scheduler.level(time);
          return level.mask_rate / (level.mask_prob + 1e-6);
        },
        [&](std::size_t i) {
          return std::numeric_limits<double>::epsilon() / (1 - at(table.at("alpha"), i) + 1e-6);
        });
  }
  const NoiseScheduler cosine(ScheduleKind::kCosineDllm);
  EXPECT_DOUBLE_EQ(cosine.loss_weight_t(0.5),
                   cosine.level(0.5).mask_rate / (cosine.level(0.5).mask_prob + 1e-6));
  EXPECT_DOUBLE_EQ(NoiseScheduler(ScheduleKind::kLinear).loss_weight_t(0.25), 4);
}

// alpha = 1 - m, sigma = -ln alpha, m' is the slope of m, w = m' / (m + offset): for every kind.
TEST(NoiseScheduler, QuantitiesAgreeWithOneAnother) {
  const std::map<ScheduleKind, double> weight_offsets = {{ScheduleKind::kLogLinear, 0},
                                                         {ScheduleKind::kCosineMdlm, 0},
                                                         {ScheduleKind::kCosineSquared, 0},
                                                         {ScheduleKind::kLinearMdlm, 0},
                                                         {ScheduleKind::kGeometric, 0},
                                                         {ScheduleKind::kPolynomialSquare, 0},
                                                         {ScheduleKind::kPolynomialSquareRoot, 0},
                                                         {ScheduleKind::kLogarithmic, 0},
                                                         {ScheduleKind::kCosineBd3lm, 1e-3},
                                                         {ScheduleKind::kLogLinearBd3lm, 0},
                                                         {ScheduleKind::kLinear, 0},
                                                         {ScheduleKind::kCosineDllm, 1e-6}};
  for (const auto& [kind, offset] : weight_offsets) {
    SCOPED_TRACE(static_cast<int>(kind));
    const NoiseScheduler scheduler(kind);
    double previous = -1;
    for (double t = 0.05; t < 0.99; t += 0.05) {
      const NoiseLevel level = scheduler.level(t);
      EXPECT_DOUBLE_EQ(level.alpha + level.mask_prob, 1);
      EXPECT_NEAR(scheduler.sigma_t(t), -std::log(level.alpha), 1e-13);
      EXPECT_GT(level.mask_prob, previous);
      previous = level.mask_prob;
      const double h = 1e-5;  // central difference: error h^2 m''' / 6, m''' below 1000 here
      const double slope = (scheduler.mask_prob_t(t + h) - scheduler.mask_prob_t(t - h)) / (2 * h);
      EXPECT_NEAR(level.mask_rate, slope, 1e-7);
      EXPECT_NEAR(level.loss_weight * (level.mask_prob + offset), level.mask_rate, 1e-12);
    }
  }
}

TEST(NoiseScheduler, RefusesTimesOutsideTheUnitInterval) {
  const NoiseScheduler scheduler(ScheduleKind::kLinear);
  EXPECT_THROW((void)scheduler.alpha_t(-0.1), ConfigError);
  EXPECT_THROW((void)scheduler.alpha_t(1.1), ConfigError);
  EXPECT_THROW((void)scheduler.alpha_t(std::nan("")), ConfigError);
}

TEST(NoiseScheduler, RefusesAnImpossibleSigmaRange) {
  EXPECT_THROW(NoiseScheduler(ScheduleKind::kLinearMdlm, {5, 1}), ConfigError);
  EXPECT_THROW(NoiseScheduler(ScheduleKind::kGeometric, {0, 1}), ConfigError);
  EXPECT_THROW(NoiseScheduler(ScheduleKind::kLinearMdlm, {0, std::nan("")}), ConfigError);
}

}  // namespace
}  // namespace aios
