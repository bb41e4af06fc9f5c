#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/aligned_buffer.h"
#include "memory/for_all.h"
#include "memory/graph_walk.h"

namespace aios {
namespace {

constexpr std::size_t kBeamWidth = 96;            // `ef_construction`: results that edges come from
constexpr std::size_t kWidth = 2 * kGraphDegree;  // edges of a row before they are pruned again

constexpr std::size_t kBatchShare = 50;  // a batch has at most one in so many of all rows
constexpr uint32_t kRowsPerEntry = 1024;
constexpr uint32_t kMinEntries = 32;

struct GraphArrays {
  AlignedBuffer<uint8_t> codes;
  std::vector<RowScore> scores;
  std::vector<uint32_t> neighbours;
  std::vector<uint32_t> entries;
};

struct Edge {
  uint32_t from = 0;
  uint32_t to = 0;
};

struct Neighbour {
  float distance = 0;
  uint32_t row = 0;
};

/// Ascending distance from `row`; equal vectors by the numbers of the rows, so that many of them
/// hang together and not all on one.
void sort_by_distance(std::vector<Neighbour>& candidates, uint32_t row) {
  const auto apart = [&](uint32_t other) { return other < row ? row - other : other - row; };
  std::sort(candidates.begin(), candidates.end(), [&](const Neighbour& a, const Neighbour& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return apart(a.row) != apart(b.row) ? apart(a.row) < apart(b.row) : a.row < b.row;
  });
}

/// What one thread works with.
struct Worker {
  explicit Worker(const Kernels& kernels) : walk(kernels) {}
  GraphWalk walk;
  std::vector<int8_t> bytes;
  std::vector<Neighbour> candidates;
  std::vector<uint32_t> rest;  // candidates that may still be chosen
  std::vector<int32_t> products;
};

class GraphBuilder {
 public:
  GraphBuilder(const GraphRows& rows, const Kernels& kernels, ThreadPool& pool)
      : rows_(rows),
        kernels_(kernels),
        pool_(pool),
        stride_(graph_stride(rows.dimension)),
        arrays_(std::make_shared<GraphArrays>()) {
    for (const MemorySegment::Group& group : rows.groups) {
      num_rows_ += static_cast<uint32_t>(group.norms.size());
    }
    for (int i = 0; i < pool.num_threads(); ++i) workers_.emplace_back(kernels);
    encode();
    order_rows();
    neighbours_.assign(num_rows_ * kWidth, kNoNeighbour);
    counts_.assign(num_rows_, 0);
  }

  /// Rows are added in batches; those of one batch do not see each other, so that the graph does
  /// not depend on the threads (Manohar et al., ParlayANN, PPoPP 2024).
  [[nodiscard]] bool add_all(FunctionRef<bool()> interrupted) {
    const std::size_t largest = std::max<std::size_t>(num_rows_ / kBatchShare, 1);
    std::size_t begin = 0;
    while (begin < num_rows_) {
      if (interrupted()) return false;
      const std::size_t count =
          std::min({std::max<std::size_t>(begin, 1), largest, num_rows_ - begin});
      add_batch(begin, count);
      begin += count;
    }
    return true;
  }

  [[nodiscard]] VectorGraph finish() {
    arrays_->neighbours.assign(num_rows_ * kGraphDegree, kNoNeighbour);
    for_all(pool_, num_rows_, [&](std::size_t thread, std::size_t row) {
      if (counts_[row] > kGraphDegree) prune(workers_[thread], static_cast<uint32_t>(row));
      std::copy_n(neighbours_.data() + row * kWidth, counts_[row],
                  arrays_->neighbours.data() + row * kGraphDegree);
    });
    arrays_->entries.assign(order_.begin(), order_.begin() + num_entries(num_rows_));
    VectorGraph graph;
    graph.dimension = rows_.dimension;
    graph.metric = rows_.metric;
    graph.num_rows = num_rows_;
    graph.stride = stride_;
    graph.codes = arrays_->codes.span();
    graph.scores = arrays_->scores;
    graph.neighbours = arrays_->neighbours;
    graph.entries = arrays_->entries;
    graph.owner = std::move(arrays_);
    return graph;
  }

 private:
  static std::ptrdiff_t num_entries(std::size_t num_rows) noexcept {
    return static_cast<std::ptrdiff_t>(std::min<std::size_t>(
        std::max<std::size_t>(kMinEntries, num_rows / kRowsPerEntry), num_rows));
  }

  void encode() {
    arrays_->codes = AlignedBuffer<uint8_t>(num_rows_ * stride_);
    std::fill_n(arrays_->codes.data(), arrays_->codes.size(), uint8_t{0});
    const auto dimension = static_cast<std::size_t>(rows_.dimension);
    std::vector<float> norms;
    uint8_t* out = arrays_->codes.data();
    for (const MemorySegment::Group& group : rows_.groups) {
      const auto codes = encode_vectors(group.embeddings, rows_.dimension, VectorPrecision::kInt8);
      for (std::size_t i = 0; i < codes->scales.size(); ++i, out += stride_) {
        std::memcpy(out, codes->bytes.data() + i * dimension, dimension);
      }
      norms.insert(norms.end(), group.norms.begin(), group.norms.end());
      const auto scores = row_scores(codes->scales, group.norms, rows_.metric);
      arrays_->scores.insert(arrays_->scores.end(), scores.begin(), scores.end());
    }
    if (rows_.metric == Metric::kInnerProduct) lift(norms);
  }

  /// A coordinate more gives all vectors one length, and then inner products order them as
  /// distances do (Bachrach et al., RecSys 2014).
  void lift(std::span<const float> norms) {
    const float longest = norms.empty() ? 0 : *std::max_element(norms.begin(), norms.end());
    squared_length_ = longest * longest;
    for (const float norm : norms) {
      lifts_.push_back(std::sqrt(std::max(squared_length_ - norm * norm, 0.0F)));
    }
  }

  /// Steps of about the golden section of the rows, so that the first ones lie evenly among all.
  void order_rows() {
    uint64_t step = static_cast<uint64_t>(0.6180339887 * num_rows_) | 1U;
    while (std::gcd(step, uint64_t{num_rows_}) > 1) step += 2;
    for (uint64_t i = 0; i < num_rows_; ++i) {
      order_.push_back(static_cast<uint32_t>(i * step % num_rows_));
    }
  }

  [[nodiscard]] GraphView view(std::size_t num_added) const {
    return {arrays_->codes.data(),
            stride_,
            arrays_->scores.data(),
            lifts_.empty() ? nullptr : lifts_.data(),
            neighbours_.data(),
            kWidth,
            num_rows_,
            std::span(order_).first(static_cast<std::size_t>(num_entries(num_added)))};
  }

  [[nodiscard]] WalkQuery query_of(Worker& worker, uint32_t row) const {
    const uint8_t* const codes = arrays_->codes.data() + row * stride_;
    worker.bytes.assign(stride_, 0);
    WalkQuery query;
    for (std::size_t k = 0; k < static_cast<std::size_t>(rows_.dimension); ++k) {
      worker.bytes[k] = static_cast<int8_t>(codes[k] - 128);
      query.zero += 128 * worker.bytes[k];
    }
    query.bytes = worker.bytes.data();
    query.scale = (rows_.metric == Metric::kL2 ? 2.0F : 1.0F) * arrays_->scores[row].factor;
    query.lift = lifts_.empty() ? 0 : lifts_[row];
    return query;
  }

  /// The squared distance of a row to one that scores so.
  [[nodiscard]] float distance(uint32_t row, float score) const noexcept {
    switch (rows_.metric) {
      case Metric::kCosine:
        return std::max(2 - 2 * score, 0.0F);
      case Metric::kInnerProduct:
        return std::max(2 * squared_length_ - 2 * score, 0.0F);
      case Metric::kL2:
        return std::max(-arrays_->scores[row].offset - score, 0.0F);
    }
    return 0;
  }

  [[nodiscard]] bool same_codes(uint32_t a, uint32_t b) const noexcept {
    const uint8_t* const codes = arrays_->codes.data();
    return std::memcmp(codes + a * stride_, codes + b * stride_, stride_) == 0;
  }

  void add_batch(std::size_t begin, std::size_t count) {
    const GraphView graph = view(begin);
    for_all(pool_, count, [&](std::size_t thread, std::size_t i) {
      find_neighbours(workers_[thread], graph, order_[begin + i]);
    });
    add_reverse_edges(begin, count);
  }

  void find_neighbours(Worker& worker, const GraphView& graph, uint32_t row) {
    const WalkQuery query = query_of(worker, row);
    worker.candidates.clear();
    for (const WalkHit& hit :
         worker.walk.run(graph, query, kBeamWidth, [](uint32_t) { return true; })) {
      worker.candidates.push_back({distance(row, hit.score), hit.row});
    }
    choose(worker, row);
  }

  void add_reverse_edges(std::size_t begin, std::size_t count) {
    std::vector<Edge> edges;
    for (std::size_t i = begin; i < begin + count; ++i) {
      const uint32_t row = order_[i];
      for (std::size_t k = 0; k < counts_[row]; ++k) {
        edges.push_back({neighbours_[row * kWidth + k], row});
      }
    }
    std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
      return a.from != b.from ? a.from < b.from : a.to < b.to;
    });
    std::vector<std::size_t> firsts;
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (i == 0 || edges[i].from != edges[i - 1].from) firsts.push_back(i);
    }
    firsts.push_back(edges.size());
    for_all(pool_, firsts.size() - 1, [&](std::size_t thread, std::size_t i) {
      add_edges(workers_[thread], std::span(edges).subspan(firsts[i], firsts[i + 1] - firsts[i]));
    });
  }

  /// Adds edges of one row; where there are too many, chooses anew.
  void add_edges(Worker& worker, std::span<const Edge> edges) {
    const uint32_t row = edges.front().from;
    uint32_t* const list = neighbours_.data() + row * kWidth;
    if (counts_[row] + edges.size() <= kWidth) {
      for (const Edge& edge : edges) list[counts_[row]++] = edge.to;
      return;
    }
    worker.rest.assign(list, list + counts_[row]);
    for (const Edge& edge : edges) worker.rest.push_back(edge.to);
    choose_among_rest(worker, row);
  }

  void prune(Worker& worker, uint32_t row) {
    const uint32_t* const list = neighbours_.data() + row * kWidth;
    worker.rest.assign(list, list + counts_[row]);
    choose_among_rest(worker, row);
  }

  void choose_among_rest(Worker& worker, uint32_t row) {
    worker.candidates.clear();
    measure(worker, row, [&](std::size_t i, float squared) {
      worker.candidates.push_back({squared, worker.rest[i]});
    });
    choose(worker, row);
  }

  /// Calls `take(i, squared distance of rest[i] from row)`.
  template <typename Take>
  void measure(Worker& worker, uint32_t row, Take take) const {
    const WalkQuery query = query_of(worker, row);
    worker.products.resize(worker.rest.size());
    kernels_.dot_listed_rows_u8(query.bytes, arrays_->codes.data(), static_cast<int64_t>(stride_),
                                worker.rest.data(), std::ssize(worker.rest),
                                worker.products.data());
    for (std::size_t i = 0; i < worker.rest.size(); ++i) {
      const uint32_t other = worker.rest[i];
      const RowScore& score = arrays_->scores[other];
      float value =
          query.scale * score.factor * static_cast<float>(worker.products[i] - query.zero) +
          score.offset;
      if (!lifts_.empty()) value += query.lift * lifts_[other];
      take(i, distance(row, value));
    }
  }

  /// The neighbours of a row among the candidates: the nearest, and then each that is no nearer to
  /// any chosen before than to the row (Malkov and Yashunin, algorithm 4). Of vectors equal to the
  /// row's one is enough: else they would leave no edge to any other.
  void choose(Worker& worker, uint32_t row) {
    std::vector<Neighbour>& candidates = worker.candidates;
    sort_by_distance(candidates, row);
    uint32_t* const list = neighbours_.data() + row * kWidth;
    uint32_t count = 0;
    std::size_t next = 0;
    while (next < candidates.size() && count < kGraphDegree) {
      const uint32_t chosen = candidates[next++].row;
      if (chosen == row) continue;
      list[count++] = chosen;
      worker.rest.clear();
      for (std::size_t i = next; i < candidates.size(); ++i) {
        worker.rest.push_back(candidates[i].row);
      }
      std::size_t kept = next;
      measure(worker, chosen, [&](std::size_t i, float squared) {
        const Neighbour candidate = candidates[next + i];
        if (squared > candidate.distance ||
            (squared == candidate.distance && !same_codes(candidate.row, row))) {
          candidates[kept++] = candidate;
        }
      });
      candidates.resize(kept);
    }
    std::fill(list + count, list + kWidth, kNoNeighbour);
    counts_[row] = count;
  }

  const GraphRows& rows_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  std::size_t stride_;
  uint32_t num_rows_ = 0;
  std::shared_ptr<GraphArrays> arrays_;
  std::vector<Worker> workers_;
  std::vector<uint32_t> order_;  // in which rows are added
  std::vector<float> lifts_;
  float squared_length_ = 0;          // of lifted vectors
  std::vector<uint32_t> neighbours_;  // [num_rows, kWidth]
  std::vector<uint32_t> counts_;
};

}  // namespace

GraphRows GraphRows::of(const MemorySegment& segment) {
  const SegmentCollection& collection = segment.collection();
  return {segment.groups(), collection.dimension, metric_from_name(collection.metric)};
}

std::optional<VectorGraph> build_graph(const GraphRows& rows, const Kernels& kernels,
                                       ThreadPool& pool, FunctionRef<bool()> interrupted) {
  GraphBuilder builder(rows, kernels, pool);
  if (!builder.add_all(interrupted)) return std::nullopt;
  return builder.finish();
}

}  // namespace aios
