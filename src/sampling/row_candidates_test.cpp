#include "sampling/row_candidates.h"

#include <cmath>
#include <limits>
#include <vector>

#include "sampling/row_filters.h"

namespace aios {
namespace {

/// The number that was asked for by name: 0.1 for token 0, 0.2 for token 1, ...
class Staircase final : public UniformSource {
 public:
  [[nodiscard]] double uniform(int32_t canvas, int32_t step, int32_t position,
                               int32_t token) const noexcept override {
    return canvas == 1 && step == 2 && position == 3 ? 0.1 * (token + 1) : 0.5;
  }
};

const std::vector<float> kLogits = {0.5F, 2.0F, kRuledOut, 1.0F, 2.0F};

TEST(RowCandidates, AreTheSoftmaxQuantitiesOfTheRow) {
  for (const double temperature : {1.0, 0.5, 3.0}) {
    double sum = 0;
    for (const double logit : {0.5, 2.0, 1.0, 2.0}) sum += std::exp(logit / temperature);
    double entropy = 0;
    for (const double logit : {0.5, 2.0, 1.0, 2.0}) {
      const double p = std::exp(logit / temperature) / sum;
      entropy -= p * std::log(p);
    }
    RowSampling sampling;
    sampling.softmax_temperature = temperature;
    sampling.target_id = 3;
    const RowCandidates row = row_candidates(kLogits, sampling);
    EXPECT_EQ(row.top_ids, (std::array<int32_t, 2>{1, 4}));  // ties to the smaller id
    EXPECT_NEAR(row.top_log_probs[0], 2 / temperature - std::log(sum), 1e-6);
    EXPECT_NEAR(row.top_log_probs[1], 2 / temperature - std::log(sum), 1e-6);
    EXPECT_EQ(row.sampled_id, 1);
    EXPECT_EQ(row.sampled_log_prob, row.top_log_probs[0]);
    EXPECT_NEAR(row.target_log_prob, 1 / temperature - std::log(sum), 1e-6);
    EXPECT_NEAR(row.log_sum_exp, std::log(sum), 1e-6);
    EXPECT_NEAR(row.entropy, entropy, 1e-6);
  }
}

// argmax of logit / T + s g, g = -ln(-ln u), with p of the token drawn and not of its noise.
TEST(RowCandidates, DrawsByGumbelMax) {
  const Staircase noise;
  for (const double scale : {0.3, 1.0, 2.5}) {
    RowSampling sampling;
    sampling.softmax_temperature = 0.8;
    sampling.gumbel_scale = scale;
    sampling.noise = &noise;
    sampling.key = {1, 2, 3};
    int32_t best = -1;
    double best_score = -std::numeric_limits<double>::infinity();
    for (const int32_t id : {0, 1, 3, 4}) {
      const double score = static_cast<double>(kLogits[static_cast<std::size_t>(id)]) / 0.8 -
                           scale * std::log(-std::log(0.1 * (id + 1)));
      if (score > best_score) {
        best = id;
        best_score = score;
      }
    }
    const RowCandidates row = row_candidates(kLogits, sampling);
    EXPECT_EQ(row.sampled_id, best);
    const double logit = static_cast<double>(kLogits[static_cast<std::size_t>(best)]);
    EXPECT_NEAR(row.sampled_log_prob, logit / 0.8 - static_cast<double>(row.log_sum_exp), 1e-6);
  }
}

TEST(RowCandidates, OneTokenIsCertain) {
  const RowCandidates row = row_candidates(std::vector<float>{kRuledOut, -40.0F, kRuledOut}, {});
  EXPECT_EQ(row.sampled_id, 1);
  EXPECT_EQ(row.sampled_log_prob, 0);
  EXPECT_EQ(row.entropy, 0);
  EXPECT_EQ(row.top_ids[1], -1);
}

TEST(RowCandidates, NothingToDrawIsMinusOne) {
  EXPECT_EQ(row_candidates(std::vector<float>{kRuledOut, kRuledOut}, {}).sampled_id, -1);
  EXPECT_EQ(row_candidates(std::vector<float>{0, std::nanf("")}, {}).sampled_id, -1);
  EXPECT_EQ(row_candidates({}, {}).sampled_id, -1);
}

TEST(RowCandidates, HugeLogitsDoNotOverflow) {
  const RowCandidates row = row_candidates(std::vector<float>{3e38F, -3e38F, 1e38F}, {});
  EXPECT_EQ(row.sampled_id, 0);
  EXPECT_EQ(row.sampled_log_prob, 0);
}

}  // namespace
}  // namespace aios
