/// The best rows for each of several queries, over blocks of rows, on several threads.
#pragma once

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "memory/live_rows.h"
#include "memory/top_candidates.h"

namespace aios {

struct RowScan {
  std::span<const float> queries;  // [num_queries, dimension]
  int32_t dimension = 0;
  Metric metric = Metric::kCosine;
  VectorPrecision precision = VectorPrecision::kF32;
  std::span<const RowBlock> blocks;  // prepared for `precision`
  std::span<const RowBits> allowed;  // per block
  std::size_t limit = 0;             // candidates per query
};

/// Makes what blocks lack for a scan: factors of rows, and codes where rows are allowed.
void prepare_blocks(std::span<RowBlock> blocks, const CollectionInfo& collection,
                    VectorPrecision precision, std::span<const RowBits> allowed, ThreadPool& pool);

/// Scores are the metric's, computed in `precision`, but that for kL2 the square of the query's
/// norm is left out.
[[nodiscard]] std::vector<std::vector<Candidate>> scan_rows(const RowScan& scan,
                                                            const Kernels& kernels,
                                                            ThreadPool& pool);

/// The metric's score of two vectors, summed in double.
[[nodiscard]] float exact_score(std::span<const float> a, std::span<const float> b,
                                Metric metric) noexcept;

}  // namespace aios
