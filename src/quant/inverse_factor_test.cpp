#include "quant/inverse_factor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "quant/quant_test_support.h"

namespace aios {
namespace {

using quant_test::correlated;
using quant_test::index;

constexpr double kDamping = 0.01;  // the first share of the mean diagonal

ThreadPool& pool() {
  static ThreadPool shared(2);
  return shared;
}

TEST(InverseFactorTest, OfADiagonalIsTheInverseRoot) {
  const std::vector<float> covariance = {4, 0, 0, 0, 1, 0, 0, 0, 7};
  const std::vector<float> factor = inverse_factor(pool(), covariance, 3);
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
  const std::vector<float> factor = inverse_factor(pool(), std::vector<float>{2, 1, 1, 2}, 2);
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
  const std::vector<float> factor = inverse_factor(pool(), covariance, kSize);
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
  const std::vector<float> factor = inverse_factor(pool(), std::vector<float>(9), 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FLOAT_EQ(factor[i * 3 + i], 10);  // 0.01^-1/2
  // Two inputs that are one: singular but for the damping.
  const double a = 1 + kDamping;
  const std::vector<float> twins = inverse_factor(pool(), std::vector<float>{1, 1, 1, 1}, 2);
  EXPECT_NEAR(twins[0], std::sqrt(a / (a * a - 1)), 1e-5);
}

/// [[1, 3], [3, 1]] is no covariance: damping grows to 10, past 0.01, 0.1 and 1.
TEST(InverseFactorTest, DampingGrowsUntilThereIsAFactor) {
  const std::vector<float> factor = inverse_factor(pool(), std::vector<float>{1, 3, 3, 1}, 2);
  EXPECT_FLOAT_EQ(factor[3], static_cast<float>(std::sqrt(1.0 / 11)));
  EXPECT_FLOAT_EQ(factor[0], static_cast<float>(std::sqrt(11.0 / (121 - 9))));
}

/// The plain algorithms, entry by entry.
std::vector<float> plain_factor(const std::vector<float>& covariance, std::size_t n) {
  double mean = 0;
  for (std::size_t i = 0; i < n; ++i) mean += covariance[i * n + i];
  mean /= static_cast<double>(n);
  std::vector<double> l(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = covariance[(n - 1 - i) * n + (n - 1 - j)];
      if (i == j) sum += kDamping * mean;
      for (std::size_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i == j ? std::sqrt(sum) : sum / l[j * n + j];
    }
  }
  std::vector<double> inverse(n * n);
  std::vector<float> factor(n * n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = i == j ? 1 : 0;
      for (std::size_t k = j; k < i; ++k) sum -= l[i * n + k] * inverse[k * n + j];
      inverse[i * n + j] = sum / l[i * n + i];
      factor[(n - 1 - i) * n + (n - 1 - j)] = static_cast<float>(inverse[i * n + j]);
    }
  }
  return factor;
}

/// Sizes around the blocks' edges; the sums run in the plain order, so not a bit differs.
TEST(InverseFactorTest, BlocksAndThreadsChangeNoBit) {
  ThreadPool alone(1);
  ThreadPool many(3);
  for (const int64_t size : {1, 7, 31, 32, 33, 64, 65, 150}) {
    const std::vector<float> covariance = correlated(size, 0.9F);
    const std::vector<float> factor = inverse_factor(alone, covariance, size);
    EXPECT_EQ(factor, inverse_factor(many, covariance, size)) << size;
    EXPECT_EQ(factor, plain_factor(covariance, static_cast<std::size_t>(size))) << size;
  }
}

}  // namespace
}  // namespace aios
