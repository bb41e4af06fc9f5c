#include "sampling/row_filters.h"

#include <cmath>
#include <vector>

namespace aios {
namespace {

using Row = std::vector<float>;

/// Ids that are not ruled out.
std::vector<int> survivors(const Row& row) {
  std::vector<int> ids;
  for (std::size_t id = 0; id < row.size(); ++id) {
    if (row[id] != kRuledOut) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

Row log_of(std::initializer_list<double> probabilities) {
  Row row;
  for (const double probability : probabilities)
    row.push_back(static_cast<float>(std::log(probability)));
  return row;
}

using Ids = std::vector<int>;

TEST(RowFilters, TopKKeepsWhatEqualsTheLast) {
  Row row = {1, 3, 2, 3, 2};
  apply_top_k(row, 3);
  EXPECT_EQ(survivors(row), (Ids{1, 2, 3, 4}));
  apply_top_k(row, 2);
  EXPECT_EQ(survivors(row), (Ids{1, 3}));
  apply_top_k(row, 0);
  apply_top_k(row, 9);
  EXPECT_EQ(survivors(row), (Ids{1, 3}));
}

TEST(RowFilters, TopPKeepsTheSmallestSetThatReachesP) {
  const Row row = log_of({0.1, 0.4, 0.2, 0.3});
  for (const auto& [top_p, ids] : std::vector<std::pair<float, Ids>>{{1.0F, {0, 1, 2, 3}},
                                                                     {0.95F, {0, 1, 2, 3}},
                                                                     {0.85F, {1, 2, 3}},
                                                                     {0.6F, {1, 3}},
                                                                     {0.39F, {1}},
                                                                     {1e-6F, {1}}}) {
    Row filtered = row;
    apply_top_p(filtered, top_p);
    EXPECT_EQ(survivors(filtered), ids) << top_p;
  }
}

TEST(RowFilters, TopPPrefersSmallerIdsAmongEquals) {
  Row row(10, 1.0F);
  apply_top_p(row, 0.25F);
  EXPECT_EQ(survivors(row), (Ids{0, 1, 2}));
}

TEST(RowFilters, TopPLeavesOutWhatIsRuledOutAlready) {
  Row row = log_of({0.5, 0.3, 0.2});
  row[0] = kRuledOut;
  apply_top_p(row, 0.59F);  // 0.3 of 0.5
  EXPECT_EQ(survivors(row), (Ids{1}));
}

TEST(RowFilters, MinPIsRelativeToTheLikeliest) {
  Row row = log_of({0.5, 0.3, 0.15, 0.05});
  apply_min_p(row, 0.29F);
  EXPECT_EQ(survivors(row), (Ids{0, 1, 2}));
  apply_min_p(row, 1.0F);
  EXPECT_EQ(survivors(row), (Ids{0}));
}

TEST(RowFilters, SuppressIgnoresIdsOutsideTheRow) {
  Row row = {1, 2, 3};
  const int32_t ids[] = {-5, 1, 3, 1000};
  suppress_tokens(row, ids);
  EXPECT_EQ(survivors(row), (Ids{0, 2}));
}

TEST(RowFilters, ValidRowsHoldNoNanAndNoInfinity) {
  EXPECT_TRUE(is_valid_row(Row{1, kRuledOut, -3e38F}));
  EXPECT_FALSE(is_valid_row(Row{1, std::nanf("")}));
  EXPECT_FALSE(is_valid_row(Row{1, -kRuledOut}));
}

}  // namespace
}  // namespace aios
