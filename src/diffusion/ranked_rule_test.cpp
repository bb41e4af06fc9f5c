#include "diffusion/ranked_rule.h"

#include <cmath>

#include "diffusion/editing_rule.h"
#include "diffusion/preselected_rules.h"

namespace aios {
namespace {

using Scores = std::vector<double>;
using Ids = std::vector<int32_t>;

TEST(Counts, QuotaIsCappedAtTheMasks) {
  EXPECT_EQ(quota_count(Scores{0.9, 0.1}, 1), 1U);
  EXPECT_EQ(quota_count(Scores{0.9, 0.1}, 7), 2U);
}

// Fast-dLLM rejects what is strictly below.
TEST(Counts, ThresholdRevealsAllThatReachItAndAtLeastOne) {
  const Count count = threshold_count(0.5);
  EXPECT_EQ(count(Scores{0.9, 0.5, 0.4}, 1), 2U);
  EXPECT_EQ(count(Scores{0.4, 0.3}, 1), 1U);
  EXPECT_EQ(count(Scores{0.9, 0.8}, 1), 2U);
}

// SDAR and LLaDA2.0 take only what is strictly above, or the quota.
TEST(Counts, DynamicRevealsAllAboveOrTheQuota) {
  const Count count = dynamic_count(0.5);
  EXPECT_EQ(count(Scores{0.9, 0.5, 0.4}, 1), 1U);
  EXPECT_EQ(count(Scores{0.9, 0.6, 0.4}, 1), 2U);
  EXPECT_EQ(count(Scores{0.9, 0.6, 0.4}, 3), 3U);
  EXPECT_EQ(count(Scores{0.3, 0.2}, 5), 2U);
}

// Bounds of ranks 2, 3, 4 with factor 3/4: 0.75, 0.8125, 0.85.
TEST(Counts, FactorStopsAtTheFirstRankThatFails) {
  EXPECT_EQ(factor_count(0.75)(Scores{0.1}, 1), 1U);
  EXPECT_EQ(factor_count(0.75)(Scores{0.9, 0.75, 0.5, 0.4}, 1), 2U);
  EXPECT_EQ(factor_count(0.75)(Scores{0.9, 0.85, 0.8125, 0.8}, 1), 3U);
}

TEST(Counts, LaterFactorTakesTheLastRankWhenOnlyThatFails) {
  EXPECT_EQ(factor_nvlabs_count(0.75)(Scores{0.9, 0.85, 0.8125, 0.8}, 1), 4U);
  EXPECT_EQ(factor_nvlabs_count(0.75)(Scores{0.9, 0.3}, 1), 2U);
  EXPECT_EQ(factor_nvlabs_count(0.75)(Scores{0.9, 0.3, 0.2}, 1), 1U);
  EXPECT_EQ(factor_nvlabs_count(0.75)(Scores{0.9}, 1), 1U);
}

TEST(Counts, EntropyBoundSumsWhatGoesBefore) {
  const Count count = entropy_bound_count(0.5);
  EXPECT_EQ(count(Scores{-0.75, -0.875}, 1), 1U);         // the first always goes
  EXPECT_EQ(count(Scores{-0.25, -0.25, -9, -9}, 1), 3U);  // 0.25 + 0.25 is not above the bound
  EXPECT_EQ(entropy_bound_count(0)(Scores{-0.0, -0.0, -0.5, -0.5}, 1), 3U);
}

/// Rows whose drawn tokens have the given probabilities.
std::vector<RowCandidates> rows_of(const Scores& probabilities, const Ids& ids) {
  std::vector<RowCandidates> rows;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    RowCandidates row;
    row.sampled_id = ids[i];
    row.sampled_log_prob = static_cast<float>(std::log(probabilities[i]));
    rows.push_back(row);
  }
  return rows;
}

Ids positions_of(const std::vector<Reveal>& reveals) {
  Ids positions;
  for (const Reveal& reveal : reveals) positions.push_back(reveal.position);
  return positions;
}

TEST(RankedRule, TiesGoToTheSmallerPosition) {
  const RankedRule rule(confidence_score, quota_count);
  StepState state;
  state.quota = 2;
  const auto reveals = rule.reveal(state, Ids{4, 6, 9}, rows_of({0.5, 0.25, 0.25}, {1, 2, 3}));
  EXPECT_EQ(positions_of(reveals), (Ids{4, 6}));
}

TEST(RankedRule, AStepWithoutAQuotaAsksNothing) {
  const RankedRule rule(confidence_score, quota_count);
  const Ids masked = {1, 2};
  StepState state;
  state.masked_positions = masked;
  state.quota = 0;
  EXPECT_TRUE(rule.wanted_positions(state).empty());
}

// SDAR's own code would write positions 3, 4, 5 and overwrite the given token at 4.
TEST(SequentialRule, StepsOverGivenTokens) {
  const Ids masked = {3, 5, 6};
  StepState state;
  state.masked_positions = masked;
  state.quota = 2;
  EXPECT_EQ(SequentialRule().wanted_positions(state), (Ids{3, 5}));
  state.quota = 9;
  EXPECT_EQ(SequentialRule().wanted_positions(state), masked);
}

/// A block of four: given, revealed, mask, revealed.
struct EditingBlock {
  Ids token_ids = {7, 8, 0, 9};
  std::vector<uint8_t> given = {1, 0, 0, 0};
  Ids masked = {2};
  StepState state;
  EditingBlock() {
    state.block = {0, 4, 4};
    state.token_ids = token_ids;
    state.given = given;
    state.masked_positions = masked;
  }
};

TEST(EditingRule, ReplacesRevealedTokensThatChangedForSure) {
  const EditingBlock block;
  const EditingRule rule(0.9, 0.5, 16);
  const Ids wanted = rule.wanted_positions(block.state);
  EXPECT_EQ(wanted, (Ids{1, 2, 3}));  // never the given one
  const auto changed = rule.reveal(block.state, wanted, rows_of({0.6, 0.1, 0.99}, {5, 4, 9}));
  EXPECT_EQ(positions_of(changed), (Ids{2, 1}));  // 3 stays what it is
  const auto unsure = rule.reveal(block.state, wanted, rows_of({0.5, 0.1, 0.3}, {5, 4, 6}));
  EXPECT_EQ(positions_of(unsure), Ids{2});  // 0.5 is not above the threshold
}

TEST(EditingRule, GoesOnWhileThereAreEdits) {
  const EditingRule rule(0.9, 0.5, 3);
  EXPECT_TRUE(rule.wants_post_step(0, 0));
  EXPECT_TRUE(rule.wants_post_step(1, 2));
  EXPECT_FALSE(rule.wants_post_step(1, 0));
  EXPECT_FALSE(rule.wants_post_step(3, 2));
  EXPECT_FALSE(EditingRule(0.9, 0.5, 0).wants_post_step(0, 5));
}

}  // namespace
}  // namespace aios
