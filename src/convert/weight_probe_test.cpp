#include "convert/weight_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "aios/error.h"
#include "convert/convert_test_support.h"

namespace aios {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Matrices of random sizes and losses that fall as bits are added.
std::vector<ProbedWeight> random_weights(std::size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  std::vector<ProbedWeight> weights;
  for (std::size_t i = 0; i < count; ++i) {
    const double loss = uniform(engine);
    ProbedWeight& weight = weights.emplace_back();
    weight.name = "weight " + std::to_string(i);
    weight.num_parameters = 1000 + static_cast<int64_t>(9000 * uniform(engine));
    weight.widths = {{{QuantType::kInt2, 128}, 2.625, 0, loss},
                     {{QuantType::kInt4, 128}, 4.5, 0, loss * uniform(engine) / 4},
                     {{QuantType::kInt8, 0}, 8.02, 0, 0}};
  }
  return weights;
}

struct Cost {
  double bits = 0;
  double loss = 0;
};

Cost cost_of(const std::vector<ProbedWeight>& weights, const QuantizationPlan& plan) {
  Cost cost;
  double num_parameters = 0;
  for (const ProbedWeight& weight : weights) {
    for (const auto& width : weight.widths) {
      if (width.format != plan.at(weight.name)) continue;
      cost.bits += width.bits * static_cast<double>(weight.num_parameters);
      cost.loss += width.loss_change;
    }
    num_parameters += static_cast<double>(weight.num_parameters);
  }
  cost.bits /= num_parameters;
  return cost;
}

/// The least loss of all plans within the target, tried one by one.
double least_loss(const std::vector<ProbedWeight>& weights, double target_bits) {
  double least = std::numeric_limits<double>::infinity();
  std::size_t num_plans = 1;
  for (std::size_t i = 0; i < weights.size(); ++i) num_plans *= 3;
  for (std::size_t number = 0; number < num_plans; ++number) {
    QuantizationPlan plan;
    std::size_t rest = number;
    for (const ProbedWeight& weight : weights) {
      plan[weight.name] = weight.widths[rest % 3].format;
      rest /= 3;
    }
    const Cost cost = cost_of(weights, plan);
    if (cost.bits <= target_bits) least = std::min(least, cost.loss);
  }
  return least;
}

TEST(WeightProbe, ThePlanIsTheBestThatFits) {
  for (uint32_t seed = 0; seed < 8; ++seed) {
    const std::vector<ProbedWeight> weights = random_weights(7, seed);
    for (const double target : {2.63, 2.9, 3.7, 5.0, 9.0}) {
      const Cost cost = cost_of(weights, plan_for_bits(weights, target));
      EXPECT_LE(cost.bits, target);
      // Each of 7 costs is rounded up to a 8192nd of what is above 2.625 bits.
      const double surely = target - 7 * (target - 2.625) / 8192;
      EXPECT_LE(cost.loss, least_loss(weights, surely) + 1e-12) << seed << ' ' << target;
      EXPECT_GE(cost.loss, least_loss(weights, target) - 1e-12) << seed << ' ' << target;
    }
  }
}

TEST(WeightProbe, ATargetBelowTwoBitsIsRefused) {
  EXPECT_THAT([] { (void)plan_for_bits(random_weights(3, 1), 2.5); },
              ThrowsMessage<ConfigError>(HasSubstr("less than the 2.62 bits")));
}

TEST(WeightProbe, MeasuresEveryMatrixAtEveryWidth) {
  const WordModel words("llama3_scaling", {"it", "was", "the", "best", "worst", "of"});
  const LoadedModel model(words.folder(), EngineConfig{});
  const auto weights = WeightLoader::open(words.folder());
  const Calibration calibration(model, "it was the best of times it was the worst of times");
  const auto roles = weight_roles(model.spec(), *weights);
  const std::vector<ProbedWeight> probed = WeightProbe(model, *weights, calibration).run({}, {});
  ASSERT_EQ(probed.size(), roles.size());
  for (const ProbedWeight& weight : probed) {
    ASSERT_EQ(weight.widths.size(), 3U);
    EXPECT_LT(weight.widths[2].output_error, 1e-3) << weight.name;
    for (std::size_t i = 1; i < 3; ++i) {
      EXPECT_GT(weight.widths[i].bits, weight.widths[i - 1].bits);
      EXPECT_LT(weight.widths[i].output_error, weight.widths[i - 1].output_error) << weight.name;
    }
  }
}

}  // namespace
}  // namespace aios
