/// The best rows for each of several queries, by the graphs of segments.
#pragma once

#include "memory/graph_walk.h"
#include "memory/row_scan.h"

namespace aios {

/// Those of `graphs` that are quicker to walk than their allowed rows are to read. A walk for
/// `width` results reads about width * kGraphDegree rows, and as many times more as few rows are
/// allowed.
[[nodiscard]] std::vector<SegmentGraph> graphs_worth_walking(std::span<const SegmentGraph> graphs,
                                                             std::span<const RowBlock> blocks,
                                                             std::span<const RowBits> allowed,
                                                             std::size_t width);

/// The best rows of the graphs, by int8 codes: at most scan.limit results,
/// best first; all are allowed. `width` is that of one graph of all these rows. Each graph is
/// walked by itself: in a walk through several at once, the good results of one end it before the
/// others' good ones are reached. Scores as those of `scan_rows`, but that a query's norm is not
/// divided out. @param walks one per thread
[[nodiscard]] std::vector<std::vector<Candidate>> walk_graphs(const RowScan& scan,
                                                              std::span<const SegmentGraph> graphs,
                                                              std::size_t width,
                                                              std::span<GraphWalk> walks,
                                                              ThreadPool& pool);

}  // namespace aios
