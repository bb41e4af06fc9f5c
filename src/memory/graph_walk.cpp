#include "memory/graph_walk.h"

#include <algorithm>

namespace aios {

GraphView view_of(const VectorGraph& graph) noexcept {
  return {graph.codes.data(),      graph.stride, graph.scores.data(), nullptr,
          graph.neighbours.data(), kGraphDegree, graph.num_rows,      graph.entries};
}

void GraphWalk::start(const GraphView& graph) {
  frontier_.clear();
  results_.clear();
  if (++walk_ == 0) {  // numbers begin again: forget what they meant
    std::fill(seen_.begin(), seen_.end(), uint8_t{0});
    walk_ = 1;
  }
  if (seen_.size() < graph.num_rows) seen_.resize(graph.num_rows, 0);
}

void GraphWalk::score_unseen(const GraphView& graph, std::span<const uint32_t> rows,
                             const WalkQuery& query) {
  fresh_.clear();
  uint8_t* const seen = seen_.data();
  for (const uint32_t row : rows) {
    if (row >= graph.num_rows) break;  // kNoNeighbour, or what a damaged file names
    if (seen[row] == walk_) continue;
    seen[row] = walk_;
    fresh_.push_back(row);
  }
  products_.resize(fresh_.size());
  fresh_scores_.resize(fresh_.size());
  kernels_.dot_listed_rows_u8(query.bytes, graph.codes, static_cast<int64_t>(graph.stride),
                              fresh_.data(), std::ssize(fresh_), products_.data());
  for (std::size_t i = 0; i < fresh_.size(); ++i) {
    const RowScore& score = graph.scores[fresh_[i]];
    fresh_scores_[i] =
        query.scale * score.factor * static_cast<float>(products_[i] - query.zero) + score.offset;
    if (graph.lifts != nullptr) fresh_scores_[i] += query.lift * graph.lifts[fresh_[i]];
  }
}

}  // namespace aios
