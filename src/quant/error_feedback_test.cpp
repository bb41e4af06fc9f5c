#include "quant/error_feedback.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "quant/quant_test_support.h"

namespace aios {
namespace {

using quant_test::correlated;
using quant_test::index;
using quant_test::name_of;
using quant_test::output_error;
using quant_test::random_weights;
using quant_test::same_bytes;

InputStatistics statistics_of(const std::vector<float>& covariance, int64_t depth) {
  InputStatistics statistics{.second_moments = {}, .covariance = covariance};
  for (int64_t i = 0; i < depth; ++i) {
    statistics.second_moments.push_back(covariance[index(i * depth + i)]);
  }
  return statistics;
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
        EXPECT_LT(ArrowQuant(pool).error(weights, quantized.matrix()).relative(), 0.3)
            << name_of(format) << ": " << rows << " x " << depth;
      }
    }
  }
}

}  // namespace
}  // namespace aios
