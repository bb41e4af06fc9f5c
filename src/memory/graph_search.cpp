#include "memory/graph_search.h"

#include <algorithm>
#include <cmath>

#include "memory/for_all.h"

namespace aios {
namespace {

/// A query's codes, of the length of a graph's rows.
ByteQuery encode_walk_query(std::span<const float> query, Metric metric, std::size_t stride) {
  ByteQuery encoded = encode_byte_query(query);
  if (metric == Metric::kL2) encoded.scale *= 2;
  encoded.bytes.resize(stride, 0);
  return encoded;
}

/// Of one graph among several. Results by the root of its share of the rows keep the recall what it
/// is in one graph: measured with 1, 2 and 8 graphs of 100,000 rows (docs/adr/0008).
std::size_t width_of(const SegmentGraph& graph, std::size_t num_rows, std::size_t width) {
  constexpr double kLeast = 16;
  const double share = static_cast<double>(graph.graph->num_rows) / static_cast<double>(num_rows);
  return static_cast<std::size_t>(
      std::max(kLeast, std::ceil(static_cast<double>(width) * std::sqrt(share))));
}

}  // namespace

std::vector<SegmentGraph> graphs_worth_walking(std::span<const SegmentGraph> graphs,
                                               std::span<const RowBlock> blocks,
                                               std::span<const RowBits> allowed,
                                               std::size_t width) {
  std::vector<SegmentGraph> chosen;
  for (const SegmentGraph& graph : graphs) {
    std::size_t num_allowed = 0;
    for (std::size_t i = graph.first_block; i < graph.first_block + graph.num_blocks; ++i) {
      num_allowed += allowed[i].count(0, blocks[i].sequences.size());
    }
    const auto share = static_cast<double>(num_allowed) / graph.graph->num_rows;
    const auto walked = static_cast<double>(width * kGraphDegree);
    if (share * static_cast<double>(num_allowed) >= walked) chosen.push_back(graph);
  }
  return chosen;
}

std::vector<std::vector<Candidate>> walk_graphs(const RowScan& scan,
                                                std::span<const SegmentGraph> graphs,
                                                std::size_t width, std::span<GraphWalk> walks,
                                                ThreadPool& pool) {
  const auto dimension = static_cast<std::size_t>(scan.dimension);
  std::size_t num_rows = 0;
  for (const SegmentGraph& graph : graphs) num_rows += graph.graph->num_rows;
  std::vector<std::vector<Candidate>> results(scan.queries.size() / dimension);
  for_all(pool, results.size(), [&](std::size_t thread, std::size_t q) {
    const ByteQuery bytes = encode_walk_query(scan.queries.subspan(q * dimension, dimension),
                                              scan.metric, graph_stride(scan.dimension));
    const WalkQuery query = {bytes.bytes.data(), bytes.scale, 128 * bytes.sum, 0};
    for (const SegmentGraph& graph : graphs) {
      const auto allowed = [&](uint32_t row) {
        return scan.allowed[graph.first_block + row / graph.rows_per_block].at(
            row % graph.rows_per_block);
      };
      for (const WalkHit& hit : walks[thread].run(view_of(*graph.graph), query,
                                                  width_of(graph, num_rows, width), allowed)) {
        const std::size_t block = graph.first_block + hit.row / graph.rows_per_block;
        const uint32_t row = hit.row % graph.rows_per_block;
        results[q].push_back(
            {hit.score, scan.blocks[block].sequences[row], static_cast<uint32_t>(block), row});
      }
    }
    results[q] = best_candidates(std::move(results[q]), scan.limit);
  });
  return results;
}

}  // namespace aios
