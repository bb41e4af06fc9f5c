/// Walks along the edges of graphs, towards a query.
#pragma once

#include <algorithm>
#include <vector>

#include "memory/vector_graph.h"

namespace aios {

/// A graph as a walk reads it: a `VectorGraph`, or one that is being built.
struct GraphView {
  const uint8_t* codes = nullptr;
  std::size_t stride = 0;
  const RowScore* scores = nullptr;
  const float* lifts = nullptr;  // per row; what building for inner products adds, else null
  const uint32_t* neighbours = nullptr;  // [num_rows, width], kNoNeighbour behind the last
  std::size_t width = 0;
  uint32_t num_rows = 0;
  std::span<const uint32_t> entries;
};

[[nodiscard]] GraphView view_of(const VectorGraph& graph) noexcept;

/// A query as walks want it: bytes padded to a graph's stride.
struct WalkQuery {
  const int8_t* bytes = nullptr;
  float scale = 0;
  int32_t zero = 0;  // 128 times the sum of the bytes
  float lift = 0;
};

struct WalkHit {
  float score = 0;
  uint32_t row = 0;
};

[[nodiscard]] inline bool ranks_before(const WalkHit& a, const WalkHit& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

/// One thread's walks; its memory is used again from walk to walk.
class GraphWalk {
 public:
  explicit GraphWalk(const Kernels& kernels) : kernels_(kernels) {}

  /// The best `width` rows that it finds among those that `allowed(row)` admits, best first. It
  /// passes through other rows. Malkov and Yashunin, algorithm 2: always from the best row that is
  /// not expanded yet, until that is worse than the worst of `width` results. Valid until the next
  /// walk.
  template <typename Allowed>
  std::span<const WalkHit> run(const GraphView& graph, const WalkQuery& query, std::size_t width,
                               Allowed allowed) {
    start(graph);
    visit(graph, graph.entries, query, width, allowed);
    while (!frontier_.empty()) {
      const WalkHit next = frontier_.front();
      if (results_.size() == width && ranks_before(results_.front(), next)) break;
      std::pop_heap(frontier_.begin(), frontier_.end(), kWorseFirst);
      frontier_.pop_back();
      visit(graph, {graph.neighbours + next.row * graph.width, graph.width}, query, width, allowed);
    }
    std::sort_heap(results_.begin(), results_.end(), kBetterFirst);
    return results_;
  }

 private:
  static constexpr auto kBetterFirst = [](const WalkHit& a, const WalkHit& b) {
    return ranks_before(a, b);
  };
  static constexpr auto kWorseFirst = [](const WalkHit& a, const WalkHit& b) {
    return ranks_before(b, a);
  };

  void start(const GraphView& graph);
  /// Scores the rows among `rows` that were not seen before, into `fresh_` and `fresh_scores_`.
  void score_unseen(const GraphView& graph, std::span<const uint32_t> rows, const WalkQuery& query);

  template <typename Allowed>
  void visit(const GraphView& graph, std::span<const uint32_t> rows, const WalkQuery& query,
             std::size_t width, Allowed allowed) {
    score_unseen(graph, rows, query);
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
      const WalkHit hit = {fresh_scores_[i], fresh_[i]};
      const bool full = results_.size() == width;
      if (full && ranks_before(results_.front(), hit)) continue;
      frontier_.push_back(hit);
      std::push_heap(frontier_.begin(), frontier_.end(), kWorseFirst);
      if (!allowed(hit.row)) continue;
      if (full) {
        std::pop_heap(results_.begin(), results_.end(), kBetterFirst);
        results_.pop_back();
      }
      results_.push_back(hit);
      std::push_heap(results_.begin(), results_.end(), kBetterFirst);
    }
  }

  const Kernels& kernels_;
  std::vector<uint8_t> seen_;  // per row: the number of the walk that saw it last
  uint8_t walk_ = 0;
  std::vector<WalkHit> frontier_;  // a heap, best first
  std::vector<WalkHit> results_;   // a heap, worst first
  std::vector<uint32_t> fresh_;
  std::vector<int32_t> products_;
  std::vector<float> fresh_scores_;
};

}  // namespace aios
