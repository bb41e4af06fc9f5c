/// For tests: does a sample follow a distribution?
#pragma once

#include <cmath>
#include <map>
#include <vector>

namespace aios::test {

/// Upper quantile of the chi-square distribution at 1e-6, by Wilson and Hilferty (1931), whose
/// error is below 1 % from one degree of freedom on. A correct sampler fails for one seed in a
/// million.
inline double chi_square_limit(std::size_t degrees_of_freedom) {
  constexpr double kNormalQuantile = 4.753424;  // of 1 - 1e-6
  const auto k = static_cast<double>(degrees_of_freedom);
  const double root = 1 - 2 / (9 * k) + kNormalQuantile * std::sqrt(2 / (9 * k));
  return k * root * root * root;
}

/// Pearson's statistic divided by its limit: below 1 passes. Outcomes of probability 0 that do
/// occur give infinity.
template <typename Outcome>
double chi_square_ratio(const std::map<Outcome, int>& counts,
                        const std::map<Outcome, double>& probabilities) {
  double total = 0;
  for (const auto& [outcome, count] : counts) {
    total += count;
    const auto known = probabilities.find(outcome);
    if (known == probabilities.end() || known->second == 0) return HUGE_VAL;
  }
  double statistic = 0;
  std::size_t outcomes = 0;
  for (const auto& [outcome, probability] : probabilities) {
    if (probability == 0) continue;
    const auto counted = counts.find(outcome);
    const double difference = (counted == counts.end() ? 0 : counted->second) - total * probability;
    statistic += difference * difference / (total * probability);
    ++outcomes;
  }
  return statistic / chi_square_limit(outcomes - 1);
}

}  // namespace aios::test
