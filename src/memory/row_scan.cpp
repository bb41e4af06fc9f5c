#include "memory/row_scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "memory/vector_codes.h"

namespace aios {
namespace {

constexpr std::size_t kTileRows = 256;
constexpr std::size_t kQueriesPerPass =
    64;  // their scores of a tile stay in the second-level cache
constexpr std::size_t kMinMatrixQueries = 4;  // from here on a matrix product is quicker

/// One thread's share of a pass: stretches of rows against a group of queries.
class TileScanner {
 public:
  TileScanner(const RowScan& scan, const Kernels& kernels, std::size_t first_query,
              std::size_t num_queries)
      : scan_(scan),
        kernels_(kernels),
        dimension_(static_cast<std::size_t>(scan.dimension)),
        num_queries_(num_queries),
        queries_(scan.queries.subspan(first_query * dimension_, num_queries * dimension_)),
        scores_(num_queries * kTileRows),
        counts_(kTileRows),
        tops_(num_queries, TopCandidates(scan.limit)) {
    for (std::size_t q = 0; q < num_queries; ++q) prepare(q);
  }

  void scan_block(std::size_t block) {
    const std::size_t num_rows = scan_.blocks[block].sequences.size();
    for (std::size_t begin = 0; begin < num_rows; begin += kTileRows) {
      const std::size_t end = std::min(begin + kTileRows, num_rows);
      const std::size_t wanted = scan_.allowed[block].count(begin, end);
      constexpr std::size_t kSparse = 8;  // fewer rows than one in eight are read one by one
      if (wanted * kSparse >= end - begin) {
        scan_rows(block, begin, end);
      } else if (wanted > 0) {
        for (std::size_t row = begin; row < end; ++row) {
          if (scan_.allowed[block].at(row)) scan_rows(block, row, row + 1);
        }
      }
    }
  }

  [[nodiscard]] std::vector<TopCandidates>& tops() noexcept { return tops_; }

 private:
  [[nodiscard]] std::span<const float> query(std::size_t q) const {
    return queries_.subspan(q * dimension_, dimension_);
  }

  void prepare(std::size_t q) {
    norms_.push_back(embedding_norm(query(q)));
    if (scan_.precision == VectorPrecision::kInt8) {
      byte_queries_.push_back(encode_byte_query(query(q)));
    } else if (scan_.precision == VectorPrecision::kBinary) {
      bit_queries_.push_back(encode_vectors(query(q), scan_.dimension, scan_.precision));
    } else if (num_queries_ >= kMinMatrixQueries) {
      const auto stride = static_cast<std::size_t>(padded_depth(scan_.dimension));
      padded_.resize((q + 1) * stride);
      std::copy_n(query(q).data(), dimension_, padded_.data() + q * stride);
    }
  }

  void scan_rows(std::size_t block, std::size_t begin, std::size_t end) {
    compute_scores(scan_.blocks[block], begin, end);
    for (std::size_t q = 0; q < num_queries_; ++q) {
      TopCandidates& top = tops_[q];
      const float* const scores = scores_.data() + q * kTileRows;
      for (std::size_t row = begin; row < end; ++row) {
        if (!(scores[row - begin] >= top.threshold()) || !scan_.allowed[block].at(row)) continue;
        top.add({scores[row - begin], scan_.blocks[block].sequences[row],
                 static_cast<uint32_t>(block), static_cast<uint32_t>(row)});
      }
    }
  }

  void compute_scores(const RowBlock& block, std::size_t begin, std::size_t end) {
    const auto* const codes = static_cast<const VectorCodes*>(
        block.codes[static_cast<std::size_t>(scan_.precision)].get());
    const auto num_rows = static_cast<int64_t>(end - begin);
    const std::size_t first = begin * dimension_;
    switch (scan_.precision) {
      case VectorPrecision::kF32:
        multiply(kernels_.dot_rows_f32, kernels_.matmul_f32_f32, block.embeddings.data() + first,
                 num_rows);
        break;
      case VectorPrecision::kF16:
        multiply(kernels_.dot_rows_f16, kernels_.matmul_f32_f16,
                 codes->bytes.data() + first * sizeof(uint16_t), num_rows);
        break;
      case VectorPrecision::kBF16:
        multiply(kernels_.dot_rows_bf16, kernels_.matmul_f32_bf16,
                 codes->bytes.data() + first * sizeof(uint16_t), num_rows);
        break;
      case VectorPrecision::kInt8:
        multiply_bytes(*codes, begin, num_rows);
        break;
      case VectorPrecision::kBinary:
        return count_bits(*codes, begin, num_rows);
    }
    apply_metric(block, begin, end);
  }

  void multiply(DotRowsFunction dots, MatmulFunction matmul, const void* rows, int64_t num_rows) {
    if (num_queries_ < kMinMatrixQueries || num_rows == 1) {
      for (std::size_t q = 0; q < num_queries_; ++q) {
        dots(query(q).data(), rows, num_rows, scan_.dimension, scores_.data() + q * kTileRows);
      }
      return;
    }
    MatmulArguments arguments;
    arguments.x = padded_.data();
    arguments.x_stride = padded_depth(scan_.dimension);
    arguments.weights = rows;
    arguments.weight_stride = scan_.dimension;
    arguments.out = scores_.data();
    arguments.out_stride = kTileRows;
    arguments.rows = static_cast<int64_t>(num_queries_);
    arguments.columns = num_rows;
    arguments.depth = scan_.dimension;
    matmul(arguments);
  }

  void multiply_bytes(const VectorCodes& codes, std::size_t begin, int64_t num_rows) {
    const auto* const rows = reinterpret_cast<const uint8_t*>(codes.bytes.data());
    for (std::size_t q = 0; q < num_queries_; ++q) {
      const ByteQuery& bytes = byte_queries_[q];
      kernels_.dot_rows_u8(bytes.bytes.data(), rows + begin * dimension_, num_rows, scan_.dimension,
                           counts_.data());
      float* const scores = scores_.data() + q * kTileRows;
      for (std::size_t i = 0; i < static_cast<std::size_t>(num_rows); ++i) {
        scores[i] = bytes.scale * codes.scales[begin + i] *
                    static_cast<float>(counts_[i] - 128 * bytes.sum);
      }
    }
  }

  void count_bits(const VectorCodes& codes, std::size_t begin, int64_t num_rows) {
    const int64_t words = code_words(scan_.dimension);
    const auto* const rows = reinterpret_cast<const uint64_t*>(codes.bytes.data());
    for (std::size_t q = 0; q < num_queries_; ++q) {
      const auto* const bits = reinterpret_cast<const uint64_t*>(bit_queries_[q]->bytes.data());
      kernels_.hamming_rows(bits, rows + begin * static_cast<std::size_t>(words), num_rows, words,
                            counts_.data());
      float* const scores = scores_.data() + q * kTileRows;
      for (std::size_t i = 0; i < static_cast<std::size_t>(num_rows); ++i) {
        scores[i] = -static_cast<float>(counts_[i]);
      }
    }
  }

  /// Scores from products.
  void apply_metric(const RowBlock& block, std::size_t begin, std::size_t end) {
    if (scan_.metric == Metric::kInnerProduct) return;
    const float* const norms = block.norms.data() + begin;
    for (std::size_t q = 0; q < num_queries_; ++q) {
      float* const scores = scores_.data() + q * kTileRows;
      const float norm = norms_[q];
      if (scan_.metric == Metric::kCosine) {
        for (std::size_t i = 0; i < end - begin; ++i) scores[i] /= norm * norms[i];
      } else {
        for (std::size_t i = 0; i < end - begin; ++i) {
          scores[i] = 2 * scores[i] - norm * norm - norms[i] * norms[i];
        }
      }
    }
  }

  const RowScan& scan_;
  const Kernels& kernels_;
  std::size_t dimension_;
  std::size_t num_queries_;
  std::span<const float> queries_;
  std::vector<float> norms_;
  std::vector<float> padded_;  // queries as matrix products want them
  std::vector<ByteQuery> byte_queries_;
  std::vector<std::shared_ptr<const VectorCodes>> bit_queries_;
  std::vector<float> scores_;  // [query, kTileRows]
  std::vector<int32_t> counts_;
  std::vector<TopCandidates> tops_;
};

/// Cuts the blocks into shares of about equal numbers of rows: the first block of each, and the
/// end.
std::vector<std::size_t> cut_shares(std::span<const RowBlock> blocks, std::size_t num_shares) {
  std::size_t num_rows = 0;
  for (const RowBlock& block : blocks) num_rows += block.sequences.size();
  std::vector<std::size_t> cuts = {0};
  std::size_t seen = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    seen += blocks[i].sequences.size();
    if (seen * num_shares >= num_rows * cuts.size()) cuts.push_back(i + 1);
  }
  if (cuts.back() != blocks.size()) cuts.push_back(blocks.size());
  return cuts;
}

}  // namespace

void TopCandidates::add(const Candidate& candidate) {
  if (heap_.size() == limit_) {
    if (limit_ == 0 || !ranks_before(candidate, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), ranks_before);
    heap_.back() = candidate;
  } else {
    heap_.push_back(candidate);
  }
  std::push_heap(heap_.begin(), heap_.end(), ranks_before);
  if (heap_.size() == limit_) threshold_ = heap_.front().score;
}

std::vector<Candidate> TopCandidates::take() {
  std::sort(heap_.begin(), heap_.end(), ranks_before);
  return std::move(heap_);
}

std::vector<std::vector<Candidate>> scan_rows(const RowScan& scan, const Kernels& kernels,
                                              ThreadPool& pool) {
  const std::size_t num_queries = scan.queries.size() / static_cast<std::size_t>(scan.dimension);
  const auto num_threads = static_cast<std::size_t>(pool.num_threads());
  const std::vector<std::size_t> cuts = cut_shares(scan.blocks, 4 * num_threads);
  std::vector<std::vector<Candidate>> results;
  for (std::size_t first = 0; first < num_queries; first += kQueriesPerPass) {
    const std::size_t count = std::min(kQueriesPerPass, num_queries - first);
    std::vector<TileScanner> scanners;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
      scanners.emplace_back(scan, kernels, first, count);
    std::vector<std::exception_ptr> failures(scanners.size());
    pool.parallel_for(static_cast<int64_t>(scanners.size()), [&](int64_t chunk) {
      const auto share = static_cast<std::size_t>(chunk);
      try {
        for (std::size_t block = cuts[share]; block < cuts[share + 1]; ++block) {
          scanners[share].scan_block(block);
        }
      } catch (...) {
        failures[share] = std::current_exception();
      }
    });
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
    for (std::size_t q = 0; q < count; ++q) {
      TopCandidates best(scan.limit);
      for (TileScanner& scanner : scanners) {
        for (const Candidate& candidate : scanner.tops()[q].take()) best.add(candidate);
      }
      results.push_back(best.take());
    }
  }
  return results;
}

float exact_score(std::span<const float> a, std::span<const float> b, Metric metric) noexcept {
  double product = 0;
  double norm_a = 0;
  double norm_b = 0;
  double distance = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double x = a[k];
    const double y = b[k];
    product += x * y;
    norm_a += x * x;
    norm_b += y * y;
    distance += (x - y) * (x - y);
  }
  if (metric == Metric::kL2) return static_cast<float>(-distance);
  if (metric == Metric::kInnerProduct) return static_cast<float>(product);
  return static_cast<float>(product / std::sqrt(norm_a * norm_b));
}

}  // namespace aios
