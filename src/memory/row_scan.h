/// The best rows for each of several queries, over blocks of rows, on several threads.
#pragma once

#include <limits>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "memory/live_rows.h"

namespace aios {

struct Candidate {
  float score = 0;
  int64_t sequence = 0;
  uint32_t block = 0;
  uint32_t row = 0;
};

/// Greater scores first; of equal ones the earlier row.
[[nodiscard]] inline bool ranks_before(const Candidate& a, const Candidate& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.sequence < b.sequence;
}

/// The best `limit` of the candidates that it is shown.
class TopCandidates {
 public:
  explicit TopCandidates(std::size_t limit) : limit_(limit) {}
  /// Scores below this cannot enter.
  [[nodiscard]] float threshold() const noexcept { return threshold_; }
  void add(const Candidate& candidate);
  /// All of them, best first; empties it.
  [[nodiscard]] std::vector<Candidate> take();

 private:
  std::size_t limit_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> heap_;  // the worst on top
};

struct RowScan {
  std::span<const float> queries;  // [num_queries, dimension]
  int32_t dimension = 0;
  Metric metric = Metric::kCosine;
  VectorPrecision precision = VectorPrecision::kF32;
  std::span<const RowBlock> blocks;  // with codes of `precision`, unless it is kF32
  std::span<const RowBits> allowed;  // per block
  std::size_t limit = 0;             // candidates per query
};

/// Scores are the metric's, computed in `precision`; with kBinary minus the number of bits that
/// differ.
[[nodiscard]] std::vector<std::vector<Candidate>> scan_rows(const RowScan& scan,
                                                            const Kernels& kernels,
                                                            ThreadPool& pool);

/// The metric's score of two vectors, summed in double.
[[nodiscard]] float exact_score(std::span<const float> a, std::span<const float> b,
                                Metric metric) noexcept;

}  // namespace aios
