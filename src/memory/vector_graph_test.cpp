#include "memory/vector_graph.h"

#include <set>

#include "memory/graph_walk.h"
#include "memory/memory_test_support.h"
#include "memory/row_scan.h"

namespace aios {
namespace {

constexpr int32_t kDimension = 48;
constexpr std::size_t kTopK = 10;
constexpr auto kLength = static_cast<std::size_t>(kDimension);

/// Rows about random centres, of unequal lengths, as one group.
struct Rows {
  explicit Rows(std::size_t count) {
    std::mt19937 engine(5);
    std::normal_distribution<float> normal;
    std::vector<float> centres(20 * kLength);
    for (float& value : centres) value = normal(engine);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t centre = engine() % 20 * kLength;
      const float length = 0.5F + static_cast<float>(engine() % 100) / 100;
      for (std::size_t k = 0; k < kLength; ++k) {
        embeddings.push_back(length * (centres[centre + k] + normal(engine)));
      }
      norms.push_back(embedding_norm(std::span(embeddings).last(kLength)));
      sequences.push_back(static_cast<int64_t>(i));
    }
    group.sequences = sequences;
    group.norms = norms;
    group.embeddings = embeddings;
  }

  [[nodiscard]] GraphRows of(Metric metric) const {
    return {std::span(&group, 1), kDimension, metric};
  }
  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    return std::span(embeddings).subspan(i * kLength, kLength);
  }

  std::vector<int64_t> sequences;
  std::vector<float> norms;
  std::vector<float> embeddings;
  MemorySegment::Group group;
};

VectorGraph build(const GraphRows& rows, int num_threads = 2) {
  ThreadPool pool(num_threads);
  return build_graph(rows, kernels_for(choose_isa()), pool, [] { return false; }).value();
}

std::set<uint32_t> exact_best(const Rows& rows, std::span<const float> query, Metric metric) {
  std::vector<std::pair<float, uint32_t>> scored;
  for (std::size_t i = 0; i < rows.norms.size(); ++i) {
    scored.emplace_back(-exact_score(query, rows.row(i), metric), static_cast<uint32_t>(i));
  }
  std::sort(scored.begin(), scored.end());
  std::set<uint32_t> best;
  for (std::size_t i = 0; i < kTopK; ++i) best.insert(scored[i].second);
  return best;
}

struct Query {
  Query(std::span<const float> vector, Metric metric) : encoded(encode_byte_query(vector)) {
    encoded.bytes.resize(graph_stride(kDimension), 0);
    walk = {encoded.bytes.data(), metric == Metric::kL2 ? 2 * encoded.scale : encoded.scale,
            128 * encoded.sum, 0};
  }
  ByteQuery encoded;
  WalkQuery walk;
};

/// A random graph would find one in hundreds. Of vectors of near equal scores, codes of 8 bits and
/// a walk may miss some.
TEST(VectorGraphTest, FindsNearlyAllOfTheNearestByEachMetric) {
  const Rows rows(1500);
  const Rows queries(1550);
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kL2}) {
    const VectorGraph graph = build(rows.of(metric));
    GraphWalk walk(kernels_for(choose_isa()));
    const GraphView view = view_of(graph);
    std::size_t found = 0;
    for (std::size_t q = 1500; q < 1550; ++q) {
      const Query query(queries.row(q), metric);
      const auto best = exact_best(rows, queries.row(q), metric);
      const auto hits = walk.run(view, query.walk, 64, [](uint32_t) { return true; });
      ASSERT_EQ(hits.size(), 64U);
      for (const WalkHit& hit : hits.first(kTopK)) found += best.count(hit.row);
    }
    EXPECT_GE(found, 50 * kTopK * 95 / 100) << metric_name(metric);
  }
}

TEST(VectorGraphTest, IsTheSameOnAnyNumberOfThreads) {
  const Rows rows(1000);
  const VectorGraph one = build(rows.of(Metric::kL2), 1);
  const VectorGraph three = build(rows.of(Metric::kL2), 3);
  EXPECT_TRUE(std::ranges::equal(one.neighbours, three.neighbours));
  EXPECT_TRUE(std::ranges::equal(one.entries, three.entries));
  EXPECT_TRUE(std::ranges::equal(one.codes, three.codes));
}

TEST(VectorGraphTest, RowsHaveDistinctNeighboursOtherThanThemselves) {
  const Rows rows(1000);
  const VectorGraph graph = build(rows.of(Metric::kCosine));
  ASSERT_EQ(graph.neighbours.size(), 1000 * kGraphDegree);
  for (uint32_t row = 0; row < graph.num_rows; ++row) {
    std::set<uint32_t> seen;
    bool ended = false;
    for (const uint32_t other : graph.neighbours.subspan(row * kGraphDegree, kGraphDegree)) {
      ended = ended || other == kNoNeighbour;
      ASSERT_EQ(ended, other == kNoNeighbour) << "a neighbour behind the end of row " << row;
      if (ended) continue;
      ASSERT_LT(other, graph.num_rows);
      ASSERT_NE(other, row);
      ASSERT_TRUE(seen.insert(other).second);
    }
    EXPECT_FALSE(seen.empty()) << "row " << row;
  }
}

TEST(VectorGraphTest, AWalkPassesThroughRowsThatAreNotAllowed) {
  const Rows rows(1500);
  const VectorGraph graph = build(rows.of(Metric::kCosine));
  GraphWalk walk(kernels_for(choose_isa()));
  const GraphView view = view_of(graph);
  const Query query(rows.row(7), Metric::kCosine);
  const auto hits = walk.run(view, query.walk, kTopK, [](uint32_t row) { return row % 50 == 0; });
  ASSERT_EQ(hits.size(), kTopK);
  for (const WalkHit& hit : hits) EXPECT_EQ(hit.row % 50, 0U);
}

/// Nine in ten rows are equal: a walk whose results are all equal goes no further among them, and
/// does not reach each row that hangs on one of the others (docs/adr/0008).
TEST(VectorGraphTest, EqualVectorsAreFoundAndHideFewOthers) {
  Rows rows(1000);
  for (std::size_t i = 0; i < 900; ++i) {
    std::copy_n(rows.embeddings.begin(), kLength,
                rows.embeddings.begin() + static_cast<std::ptrdiff_t>(i * kLength));
    rows.norms[i] = rows.norms[0];
  }
  const VectorGraph graph = build(rows.of(Metric::kCosine));
  GraphWalk walk(kernels_for(choose_isa()));
  const GraphView view = view_of(graph);
  const auto all = [](uint32_t) { return true; };
  const Query equal(rows.row(0), Metric::kCosine);
  const auto equals = walk.run(view, equal.walk, kTopK, all);
  EXPECT_EQ(std::ranges::count_if(equals, [](const WalkHit& hit) { return hit.row < 900; }),
            static_cast<std::ptrdiff_t>(kTopK));
  std::size_t found = 0;
  for (uint32_t row = 900; row < 1000; ++row) {
    const Query query(rows.row(row), Metric::kCosine);
    found += walk.run(view, query.walk, 64, all).front().row == row ? 1 : 0;
  }
  EXPECT_GE(found, 85U);
}

TEST(VectorGraphTest, SmallSetsAreFoundWhole) {
  const Rows rows(40);
  const VectorGraph graph = build(rows.of(Metric::kCosine));
  GraphWalk walk(kernels_for(choose_isa()));
  const GraphView view = view_of(graph);
  const Query query(rows.row(0), Metric::kCosine);
  EXPECT_EQ(walk.run(view, query.walk, 100, [](uint32_t) { return true; }).size(), 40U);
}

TEST(VectorGraphTest, BuildingEndsWhenItIsInterrupted) {
  const Rows rows(2000);
  ThreadPool pool(1);
  int asked = 0;
  EXPECT_FALSE(build_graph(rows.of(Metric::kCosine), kernels_for(choose_isa()), pool,
                           [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace aios
