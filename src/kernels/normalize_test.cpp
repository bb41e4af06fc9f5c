#include "kernels/normalize.h"

#include <cmath>

#include "kernels/kernel_test_support.h"

namespace aios {
namespace {

using kernel_test::random_floats;

class Normalize : public kernel_test::ForEachIsa {};

TEST_P(Normalize, EqualsDoubleReference) {
  constexpr float kEpsilon = 1e-5F;
  for (const int64_t size : {1, 3, 16, 17, 64, 88, 384, 1000}) {
    std::vector<float> x = random_floats(size, 2.0F, 1);
    for (float& value : x) value += 3;  // a mean that matters
    const std::vector<float> weight = random_floats(size, 1.0F, 2);
    const std::vector<float> bias = random_floats(size, 1.0F, 3);
    double mean = 0, square = 0, variance = 0;
    for (const float value : x) mean += value / static_cast<double>(size);
    for (const float value : x) {
      square += static_cast<double>(value) * value / static_cast<double>(size);
      variance += (value - mean) * (value - mean) / static_cast<double>(size);
    }
    std::vector<float> rms(x.size()), layer(x.size());
    NormalizeArguments arguments{.x = x.data(),
                                 .weight = weight.data(),
                                 .bias = nullptr,
                                 .epsilon = kEpsilon,
                                 .out = rms.data(),
                                 .size = size};
    kernels_.rms_norm(arguments);
    arguments.bias = bias.data();
    arguments.out = layer.data();
    kernels_.layer_norm(arguments);
    arguments.x = layer.data();  // in place
    std::vector<float> again = layer;
    for (std::size_t i = 0; i < x.size(); ++i) {
      // Roots and quotients: a few ulp; the mean's own rounding, divided by the deviation.
      const double expected_rms = x[i] / std::sqrt(square + kEpsilon) * weight[i];
      EXPECT_NEAR(rms[i], expected_rms, 1e-6 * std::abs(expected_rms) + 1e-9);
      const double expected_layer =
          (x[i] - mean) / std::sqrt(variance + kEpsilon) * weight[i] + bias[i];
      EXPECT_NEAR(layer[i], expected_layer, size == 1 ? 1e-3 : 4e-6);
    }
    kernels_.layer_norm(arguments);
    NormalizeArguments copied = arguments;
    std::vector<float> out(x.size());
    copied.x = again.data();
    copied.out = out.data();
    kernels_.layer_norm(copied);
    EXPECT_EQ(layer, out);
  }
}

TEST_P(Normalize, RotationTurnsPairs) {
  for (const int64_t half : {1, 4, 16, 21, 64}) {
    const std::vector<float> x = random_floats(2 * half + 2, 1.0F, 4);
    std::vector<float> cosines, sines;
    for (int64_t i = 0; i < half; ++i) {
      cosines.push_back(std::cos(0.1F * static_cast<float>(i)));
      sines.push_back(std::sin(0.1F * static_cast<float>(i)));
    }
    std::vector<float> y = x;
    kernels_.rotate(cosines.data(), sines.data(), y.data(), half);
    for (std::size_t i = 0; i < static_cast<std::size_t>(half); ++i) {
      const std::size_t j = i + static_cast<std::size_t>(half);
      EXPECT_NEAR(y[i], x[i] * cosines[i] - x[j] * sines[i], 1e-6);
      EXPECT_NEAR(y[j], x[j] * cosines[i] + x[i] * sines[i], 1e-6);
    }
    EXPECT_EQ(y[y.size() - 1], x[x.size() - 1]);
    EXPECT_EQ(y[y.size() - 2], x[x.size() - 2]);
  }
}

AIOS_INSTANTIATE_FOR_EACH_ISA(Normalize);

}  // namespace
}  // namespace aios
