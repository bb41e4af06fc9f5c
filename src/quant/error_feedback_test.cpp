#include "quant/error_feedback.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "quant/quant_test_support.h"

namespace aios {
namespace {

using quant_test::index;
using quant_test::name_of;
using quant_test::output_error;
using quant_test::random_weights;
using quant_test::same_bytes;

constexpr double kDamping = 0.01;  // inverse_factor's first share of the mean diagonal

/// Mean products of inputs whose neighbours are correlated, with unequal sizes: s[i] s[j] r^|i-j|.
std::vector<float> correlated(int64_t size, float correlation) {
  std::vector<float> covariance(index(size * size));
  const auto spread = [](int64_t i) { return 0.5F + static_cast<float>(i % 7); };
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) {
      covariance[index(i * size + j)] =
          spread(i) * spread(j) * std::pow(correlation, static_cast<float>(std::abs(i - j)));
    }
  }
  return covariance;
}

InputStatistics statistics_of(const std::vector<float>& covariance, int64_t depth) {
  InputStatistics statistics{.second_moments = {}, .covariance = covariance};
  for (int64_t i = 0; i < depth; ++i) {
    statistics.second_moments.push_back(covariance[index(i * depth + i)]);
  }
  return statistics;
}

TEST(InverseFactorTest, OfADiagonalIsTheInverseRoot) {
  const std::vector<float> covariance = {4, 0, 0, 0, 1, 0, 0, 0, 7};
  const std::vector<float> factor = inverse_factor(covariance, 3);
  const double damping = kDamping * 4;  // the mean of 4, 1 and 7
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const double expected = i == j ? 1 / std::sqrt(covariance[i * 3 + i] + damping) : 0;
      EXPECT_FLOAT_EQ(factor[i * 3 + j], static_cast<float>(expected));
    }
  }
}

/// By hand: (C + dI)^-1 = [[a, -1], [-1, a]] / (a^2 - 1) with a = 2 + d.
TEST(InverseFactorTest, OfTwoInputsIsTheClosedForm) {
  const double a = 2 + kDamping * 2;
  const double determinant = a * a - 1;
  const std::vector<float> factor = inverse_factor(std::vector<float>{2, 1, 1, 2}, 2);
  EXPECT_FLOAT_EQ(factor[0], static_cast<float>(std::sqrt(a / determinant)));
  EXPECT_FLOAT_EQ(factor[1], static_cast<float>(-1 / std::sqrt(a * determinant)));
  EXPECT_EQ(factor[2], 0);
  EXPECT_FLOAT_EQ(factor[3], static_cast<float>(std::sqrt(1 / a)));
}

/// U^T U (C + dI) = I. Each entry of U is off by half a unit of the last place of an f32 and each
/// entry of the product sums 2 `size` of them: `size` 2^-23 times the largest terms.
TEST(InverseFactorTest, ItsSquareTimesTheDampedCovarianceIsOne) {
  constexpr int64_t kSize = 40;
  std::vector<float> covariance = correlated(kSize, 0.9F);
  const std::vector<float> factor = inverse_factor(covariance, kSize);
  double mean = 0;
  for (int64_t i = 0; i < kSize; ++i) mean += covariance[index(i * kSize + i)] / double{kSize};
  std::vector<double> product(index(kSize * kSize));
  std::vector<double> magnitude(product.size());
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) {
      double inverse = 0;
      double terms = 0;
      for (std::size_t k = 0; k <= std::min(i, j); ++k) {
        inverse += double{factor[k * kSize + i]} * factor[k * kSize + j];
        terms += std::abs(double{factor[k * kSize + i]} * factor[k * kSize + j]);
      }
      for (std::size_t column = 0; column < kSize; ++column) {
        const double damping = j == column ? kDamping * mean : 0;
        const double entry = covariance[j * kSize + column] + damping;
        product[i * kSize + column] += inverse * entry;
        magnitude[i * kSize + column] += terms * std::abs(entry);
      }
    }
  }
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) {
      EXPECT_NEAR(product[i * kSize + j], i == j ? 1 : 0, magnitude[i * kSize + j] * 0x1p-22);
    }
  }
}

TEST(InverseFactorTest, InputsThatNeverMovedAreDamped) {
  const std::vector<float> factor = inverse_factor(std::vector<float>(9), 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(factor[i * 3 + i], 10);  // 0.01^-1/2
  // Two inputs that are one: singular but for the damping.
  const double a = 1 + kDamping;
  const std::vector<float> twins = inverse_factor(std::vector<float>{1, 1, 1, 1}, 2);
  EXPECT_NEAR(twins[0], std::sqrt(a / (a * a - 1)), 1e-5);
}

/// [[1, 3], [3, 1]] is no covariance: damping grows to 10, past 0.01, 0.1 and 1.
TEST(InverseFactorTest, DampingGrowsUntilThereIsAFactor) {
  const std::vector<float> factor = inverse_factor(std::vector<float>{1, 3, 3, 1}, 2);
  EXPECT_FLOAT_EQ(factor[3], static_cast<float>(std::sqrt(1.0 / 11)));
  EXPECT_FLOAT_EQ(factor[0], static_cast<float>(std::sqrt(11.0 / (121 - 9))));
}

TEST(ErrorFeedbackTest, LowersTheErrorOfOutputsOfCorrelatedInputs) {
  constexpr int64_t kRows = 40;
  constexpr int64_t kDepth = 160;
  const std::vector<float> weights = random_weights(kRows * kDepth);
  const InputStatistics inputs = statistics_of(correlated(kDepth, 0.9F), kDepth);
  const InputStatistics moments{.second_moments = inputs.second_moments, .covariance = {}};
  ThreadPool pool(2);
  const ArrowQuant quant(pool);
  for (const QuantizedFormat format :
       {QuantizedFormat{QuantType::kInt4, 128}, QuantizedFormat{QuantType::kInt2, 128},
        QuantizedFormat{QuantType::kInt4, 0}, QuantizedFormat{QuantType::kInt2, 32}}) {
    const auto error_with = [&](const InputStatistics& statistics) {
      const QuantizedWeights quantized =
          quant.quantize(weights, kRows, kDepth, format, {.inputs = &statistics});
      return output_error(weights, quantized.matrix(), inputs.covariance);
    };
    EXPECT_LT(error_with(inputs), 0.7 * error_with(moments)) << name_of(format);
  }
}

/// Nothing is spread between independent inputs: the same bytes as with second moments alone.
TEST(ErrorFeedbackTest, OfIndependentInputsChangesNothing) {
  constexpr int64_t kRows = 33;
  constexpr int64_t kDepth = 200;
  const std::vector<float> weights = random_weights(kRows * kDepth);
  const InputStatistics inputs = statistics_of(correlated(kDepth, 0), kDepth);
  const InputStatistics moments{.second_moments = inputs.second_moments, .covariance = {}};
  ThreadPool pool(1);
  const ArrowQuant quant(pool);
  for (const QuantizedFormat& format : quant_test::all_formats()) {
    EXPECT_TRUE(same_bytes(quant.quantize(weights, kRows, kDepth, format, {.inputs = &inputs}),
                           quant.quantize(weights, kRows, kDepth, format, {.inputs = &moments})))
        << name_of(format);
  }
}

TEST(ErrorFeedbackTest, WritesTheSameBytesOnAnyNumberOfThreads) {
  constexpr int64_t kRows = 100;
  constexpr int64_t kDepth = 88;
  const std::vector<float> weights = random_weights(kRows * kDepth);
  const InputStatistics inputs = statistics_of(correlated(kDepth, 0.8F), kDepth);
  ThreadPool one(1);
  ThreadPool two(2);
  for (const QuantizedFormat& format : quant_test::all_formats()) {
    const QuantizeOptions options{.inputs = &inputs};
    EXPECT_TRUE(same_bytes(ArrowQuant(one).quantize(weights, kRows, kDepth, format, options),
                           ArrowQuant(two).quantize(weights, kRows, kDepth, format, options)))
        << name_of(format);
  }
}

TEST(ErrorFeedbackTest, TakesEveryShape) {
  ThreadPool pool(1);
  for (const QuantizedFormat& format : quant_test::all_formats()) {
    for (const int64_t depth : {1, 31, 130}) {
      for (const int64_t rows : {1, 33}) {
        const std::vector<float> weights = random_weights(rows * depth);
        const InputStatistics inputs = statistics_of(correlated(depth, 0.5F), depth);
        const QuantizedWeights quantized =
            ArrowQuant(pool).quantize(weights, rows, depth, format, {.inputs = &inputs});
        // Correlated errors may exceed those of plain rounding, but not what a 2-bit code leaves.
        EXPECT_LT(ArrowQuant::error(weights, quantized.matrix()).relative(), 0.3)
            << name_of(format) << ": " << rows << " x " << depth;
      }
    }
  }
}

}  // namespace
}  // namespace aios
