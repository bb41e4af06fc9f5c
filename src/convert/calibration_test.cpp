#include "convert/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "aios/error.h"
#include "convert/convert_test_support.h"
#include "convert/weight_probe.h"
#include "storage/weight_loader.h"

namespace aios {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kModel = std::string(AIOS_SOURCE_DIR) + "/models/books-6m";

std::string some_text() {
  std::ifstream file(std::string(AIOS_SOURCE_DIR) + "/LICENSE");
  return {std::istreambuf_iterator<char>(file), {}};
}

class CalibrationTest : public testing::Test {
 protected:
  const LoadedModel model_{kModel, EngineConfig{}};
  const Calibration calibration_{model_, some_text()};
};

TEST_F(CalibrationTest, InputsOfAnRmsNormHaveTheMomentsThatItsWeightsGive) {
  // x = w h / rms(h): the mean of (x / w)^2 over the columns is 1 in every row, less epsilon.
  const std::string name = "model.layers.2.self_attn.q_proj.weight";
  const auto statistics = calibration_.collect({name}, true, {});
  const InputStatistics& inputs = statistics.at(name);
  const std::vector<float> norm =
      to_floats(WeightLoader::open(kModel)->tensor("model.layers.2.input_layernorm.weight"));
  ASSERT_EQ(inputs.second_moments.size(), norm.size());
  double mean = 0;
  for (std::size_t k = 0; k < norm.size(); ++k) {
    mean +=
        inputs.second_moments[k] / (double{norm[k]} * norm[k]) / static_cast<double>(norm.size());
  }
  EXPECT_NEAR(mean, 1, 1e-3);
}

TEST_F(CalibrationTest, TheCovarianceIsSymmetricWithTheMomentsOnItsDiagonal) {
  const std::string name = "model.layers.0.mlp.down_proj.weight";
  const auto statistics = calibration_.collect({name}, true, {});
  const auto& [moments, covariance] = statistics.at(name);
  const std::size_t size = moments.size();
  ASSERT_EQ(covariance.size(), size * size);
  for (std::size_t i = 0; i < size; ++i) {
    // Sums of some thousand positive numbers in f32 against double.
    EXPECT_NEAR(covariance[i * size + i], moments[i], 1e-4 * moments[i] + 1e-9);
    for (std::size_t j = 0; j < i; ++j) {
      ASSERT_EQ(covariance[i * size + j], covariance[j * size + i]);
      ASSERT_LE(std::abs(covariance[i * size + j]), 1.0001F * std::sqrt(moments[i] * moments[j]));
    }
  }
}

TEST_F(CalibrationTest, CollectsWhatIsAskedForOnly) {
  const auto statistics = calibration_.collect({"model.layers.1.mlp.up_proj.weight"}, false, {});
  ASSERT_EQ(statistics.size(), 1U);
  EXPECT_TRUE(statistics.begin()->second.covariance.empty());
}

TEST_F(CalibrationTest, ANetworksOwnLossIsThatOfALanguageModel) {
  const double loss = calibration_.loss(model_.core());
  EXPECT_GT(loss, 1);
  EXPECT_LT(loss, std::log(static_cast<double>(model_.spec().vocab_size)));
}

TEST_F(CalibrationTest, CanBeCancelled) {
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)calibration_.collect({"model.embed_tokens.weight"}, false, token),
               CancelledError);
}

TEST(Calibration, AnEncodersLossIsTheDistanceOfItsVectorsAlsoIfItHasAHead) {
  const WordModel words("bert_google_names", {"a", "ship", "in", "the", "storm"});
  const LoadedModel model(words.folder(), EngineConfig{});
  const auto weights = WeightLoader::open(words.folder());
  const Calibration calibration(model, "a ship in the storm\nthe storm");
  EXPECT_NEAR(calibration.loss(model.core()), 0, 1e-6);
  double largest = 0;
  for (const ProbedWeight& weight : WeightProbe(model, *weights, calibration).run({}, {})) {
    largest = std::max(largest, weight.widths.front().loss_change);
  }
  EXPECT_GT(largest, 1e-4);  // two bits in some matrix move the vectors
}

TEST_F(CalibrationTest, RefusesAnEmptyText) {
  EXPECT_THAT([&] { Calibration(model_, ""); },
              ThrowsMessage<ConfigError>(HasSubstr("the calibration text is empty")));
}

}  // namespace
}  // namespace aios
