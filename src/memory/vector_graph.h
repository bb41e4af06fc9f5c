/// A graph of near neighbours over the vectors of a segment: a walk along its edges finds nearly
/// all of the nearest vectors and reads few of the others.
///
/// Each row has edges to at most kGraphDegree others, chosen so that from everywhere some edge
/// leads nearer to any query (the pruned neighbour lists of HNSW, Malkov and Yashunin, TPAMI 2020,
/// algorithm 4, and of Vamana, Subramanya et al., NeurIPS 2019). One layer; a walk starts from the
/// best of some rows drawn evenly from all, as HNSW's upper layers would find it.
/// docs/adr/0008-a-graph-for-each-segment.md.
#pragma once

#include <memory>
#include <optional>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "memory/vector_codes.h"
#include "storage/memory_segment.h"

namespace aios {

inline constexpr std::size_t kGraphDegree = 32;
inline constexpr uint32_t kNoNeighbour = 0xffffffff;

/// Borrows what `owner` keeps. Immutable.
struct VectorGraph {
  std::shared_ptr<const void> owner;
  int32_t dimension = 0;
  Metric metric = Metric::kCosine;
  uint32_t num_rows = 0;
  std::size_t stride = 0;            ///< of codes: a multiple of kListedRowUnit
  std::span<const uint8_t> codes;    ///< [num_rows, stride], as `VectorCodes` of int8, then zeros
  std::span<const RowScore> scores;  ///< [num_rows]
  std::span<const uint32_t> neighbours;  ///< [num_rows, kGraphDegree], then kNoNeighbour
  std::span<const uint32_t> entries;     ///< rows where walks start
};

[[nodiscard]] constexpr std::size_t graph_stride(int64_t dimension) noexcept {
  constexpr auto kUnit = static_cast<std::size_t>(kListedRowUnit);
  return (static_cast<std::size_t>(dimension) + kUnit - 1) / kUnit * kUnit;
}

/// The rows that a graph is built over: those of all groups, one after another.
struct GraphRows {
  std::span<const MemorySegment::Group> groups;
  int32_t dimension = 0;
  Metric metric = Metric::kCosine;

  [[nodiscard]] static GraphRows of(const MemorySegment& segment);
};

/// The same graph on any number of threads.
/// @param interrupted asked now and then, on the calling thread: true ends the work
/// @return nothing if it was interrupted
[[nodiscard]] std::optional<VectorGraph> build_graph(const GraphRows& rows, const Kernels& kernels,
                                                     ThreadPool& pool,
                                                     FunctionRef<bool()> interrupted);

}  // namespace aios
