#include "kernels/logit_scan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/kernel_test_support.h"

namespace aios {
namespace {

constexpr float kAbsent = -std::numeric_limits<float>::infinity();

class LogitScan : public kernel_test::ForEachIsa {
 protected:
  LogitSummary scan(const std::vector<float>& logits, float temperature = 1.0F) const {
    LogitSummary summary;
    kernels_.scan_logits(logits.data(), static_cast<int64_t>(logits.size()), temperature, summary);
    return summary;
  }
};

TEST_P(LogitScan, EqualsDoubleReference) {
  for (const int64_t size : {1, 2, 5, 16, 31, 256}) {
    for (const float temperature : {0.1F, 1.0F, 2.5F}) {
      std::vector<float> logits = kernel_test::random_floats(size, 6.0F);
      if (size > 4) logits[2] = logits[4] = kAbsent;
      std::vector<int32_t> order(logits.size());
      std::iota(order.begin(), order.end(), 0);
      const auto by_logit = [&](int32_t a, int32_t b) {
        return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
      };
      std::ranges::stable_sort(order, by_logit);
      const LogitSummary summary = scan(logits, temperature);
      EXPECT_EQ(summary.top_indices[0], order[0]);
      EXPECT_EQ(summary.top_indices[1], size > 1 ? order[1] : -1);
      EXPECT_EQ(summary.top_logits[0], logits[static_cast<std::size_t>(order[0])]);
      double sum = 0, shifted_sum = 0;
      for (const float logit : logits) {
        if (logit == kAbsent) continue;
        const double shifted = (logit - summary.top_logits[0]) / static_cast<double>(temperature);
        sum += std::exp(shifted);
        shifted_sum += std::exp(shifted) * shifted;
      }
      // Scaled logits up to 250 are rounded to 1.5e-5 where the temperature is 0.1.
      const double tolerance = temperature < 1 ? 4e-5 : 4e-6;
      EXPECT_NEAR(summary.sum_exp, sum, tolerance * sum);
      EXPECT_NEAR(summary.sum_exp_shifted, shifted_sum, tolerance * (1 - shifted_sum));
    }
  }
}

TEST_P(LogitScan, TiesGoToTheSmallerIndex) {
  for (const std::size_t first : {0U, 3U, 17U, 40U}) {
    std::vector<float> logits(100, 1.0F);
    logits[first] = logits[first + 1] = logits[first + 33] = 5.0F;
    const LogitSummary summary = scan(logits);
    EXPECT_EQ(summary.top_indices[0], static_cast<int32_t>(first));
    EXPECT_EQ(summary.top_indices[1], static_cast<int32_t>(first) + 1);
  }
  const LogitSummary equal = scan(std::vector<float>(50, -2.0F));
  EXPECT_EQ(equal.top_indices[0], 0);
  EXPECT_EQ(equal.top_indices[1], 1);
  EXPECT_NEAR(equal.sum_exp, 50, 1e-5);
}

TEST_P(LogitScan, NothingPresentIsEmpty) {
  const LogitSummary summary = scan(std::vector<float>(20, kAbsent));
  EXPECT_EQ(summary.top_indices[0], -1);
  EXPECT_EQ(summary.top_indices[1], -1);
  EXPECT_EQ(summary.sum_exp, 0);
  std::vector<float> one(20, kAbsent);
  one[19] = -4;
  const LogitSummary single = scan(one);
  EXPECT_EQ(single.top_indices[0], 19);
  EXPECT_EQ(single.top_indices[1], -1);
  EXPECT_EQ(single.sum_exp, 1);
  EXPECT_EQ(single.sum_exp_shifted, 0);
}

AIOS_INSTANTIATE_FOR_EACH_ISA(LogitScan);

}  // namespace
}  // namespace aios
