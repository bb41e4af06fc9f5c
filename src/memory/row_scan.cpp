#include "memory/row_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "memory/for_all.h"
#include "memory/scan_queries.h"

namespace aios {
namespace {

constexpr std::size_t kTileRows = 256;        // whole panels of signs
constexpr std::size_t kQueriesPerPass = 128;  // their scores of a tile stay in the caches

/// One thread's share of a pass: blocks of rows against a group of queries.
class TileScanner {
 public:
  TileScanner(const RowScan& scan, const Kernels& kernels, const ScanQueries& queries)
      : scan_(scan),
        kernels_(kernels),
        dimension_(static_cast<std::size_t>(scan.dimension)),
        queries_(queries),
        scores_(queries.size() * kTileRows),
        counts_(counted_queries(scan, queries.size()) * kTileRows),
        sums_(kTileRows),
        selected_(kTileRows),
        tops_(queries.size(), TopCandidates(scan.limit)) {}

  void scan_block(std::size_t block) {
    const std::size_t num_rows = scan_.blocks[block].sequences.size();
    for (std::size_t begin = 0; begin < num_rows; begin += kTileRows) {
      const std::size_t end = std::min(begin + kTileRows, num_rows);
      const std::size_t wanted = scan_.allowed[block].count(begin, end);
      constexpr std::size_t kSparse = 8;  // fewer rows than one in eight are read one by one
      const bool in_panels = scan_.precision == VectorPrecision::kBinary;
      if (wanted * kSparse >= end - begin || (in_panels && wanted > 0)) {
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
  static std::size_t counted_queries(const RowScan& scan, std::size_t num_queries) noexcept {
    constexpr auto kUnit = static_cast<std::size_t>(kByteQueryUnit);
    if (scan.precision != VectorPrecision::kInt8) return 0;
    return (num_queries + kUnit - 1) / kUnit * kUnit;
  }

  void scan_rows(std::size_t block, std::size_t begin, std::size_t end) {
    const RowBlock& rows = scan_.blocks[block];
    compute_products(rows, begin, end);
    const float* const factors =
        scan_.metric == Metric::kInnerProduct ? nullptr : rows.factors->data() + begin;
    const bool adds = scan_.metric == Metric::kL2;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      TopCandidates& top = tops_[q];
      float* const scores = scores_.data() + q * kTileRows;
      const int64_t count = kernels_.select_scores(
          scores, adds ? nullptr : factors, adds ? factors : nullptr,
          static_cast<int64_t>(end - begin), top.threshold(), selected_.data());
      for (int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(selected_[static_cast<std::size_t>(i)]);
        if (!scan_.allowed[block].at(begin + at)) continue;
        top.add({scores[at], rows.sequences[begin + at], static_cast<uint32_t>(block),
                 static_cast<uint32_t>(begin + at)});
      }
    }
  }

  void compute_products(const RowBlock& block, std::size_t begin, std::size_t end) {
    const VectorCodes* const codes = block.codes[static_cast<std::size_t>(scan_.precision)].get();
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
        look_up_signs(*codes, begin, end);
        break;
    }
  }

  void multiply(DotRowsFunction dots, MatmulFunction matmul, const void* rows, int64_t num_rows) {
    if (queries_.matrix() == nullptr || num_rows == 1) {
      for (std::size_t q = 0; q < queries_.size(); ++q) {
        dots(queries_.floats(q).data(), rows, num_rows, scan_.dimension,
             scores_.data() + q * kTileRows);
      }
      return;
    }
    MatmulArguments arguments;
    arguments.x = queries_.matrix();
    arguments.x_stride = padded_depth(scan_.dimension);
    arguments.weights = rows;
    arguments.weight_stride = scan_.dimension;
    arguments.out = scores_.data();
    arguments.out_stride = kTileRows;
    arguments.rows = static_cast<int64_t>(queries_.size());
    arguments.columns = num_rows;
    arguments.depth = scan_.dimension;
    matmul(arguments);
  }

  void multiply_bytes(const VectorCodes& codes, std::size_t begin, int64_t num_rows) {
    ByteMatrixArguments arguments;
    arguments.queries = queries_.bytes();
    arguments.num_queries = static_cast<int64_t>(queries_.size());
    arguments.stride = static_cast<int64_t>(queries_.byte_stride());
    arguments.rows = reinterpret_cast<const uint8_t*>(codes.bytes.data()) + begin * dimension_;
    arguments.num_rows = num_rows;
    arguments.dimension = scan_.dimension;
    arguments.out = counts_.data();
    arguments.out_stride = kTileRows;
    if (queries_.size() < kMinMatrixQueries) {
      for (std::size_t q = 0; q < queries_.size(); ++q) {
        kernels_.dot_rows_u8(arguments.queries + static_cast<int64_t>(q) * arguments.stride,
                             arguments.rows, num_rows, scan_.dimension,
                             counts_.data() + q * kTileRows);
      }
    } else {
      kernels_.dot_byte_matrix(arguments);
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const ByteQuery& query = queries_.byte_query(q);
      kernels_.scale_products(counts_.data() + q * kTileRows, 128 * query.sum, query.scale,
                              codes.scales.data() + begin, num_rows,
                              scores_.data() + q * kTileRows);
    }
  }

  void look_up_signs(const VectorCodes& codes, std::size_t begin, std::size_t end) {
    const int64_t num_bytes = sign_bytes(scan_.dimension);
    const auto* const rows = reinterpret_cast<const uint8_t*>(codes.bytes.data());
    const auto panel_rows = static_cast<std::size_t>(kCodePanelRows);
    const std::size_t num_panels = (end - begin + panel_rows - 1) / panel_rows;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const SignQuery& query = queries_.sign_query(q);
      kernels_.sum_codes(query.table.data(), rows + begin * static_cast<std::size_t>(num_bytes),
                         static_cast<int64_t>(num_panels), num_bytes, sums_.data());
      float* const scores = scores_.data() + q * kTileRows;
      for (std::size_t i = 0; i < end - begin; ++i) {
        const float product = query.step * static_cast<float>(sums_[i]) + query.offset;
        scores[i] = product * codes.scales[begin + i];
      }
    }
  }

  const RowScan& scan_;
  const Kernels& kernels_;
  std::size_t dimension_;
  const ScanQueries& queries_;
  std::vector<float> scores_;    // [query, kTileRows]
  std::vector<int32_t> counts_;  // products of bytes, as scores
  std::vector<uint16_t> sums_;
  std::vector<int32_t> selected_;
  std::vector<TopCandidates> tops_;
};

}  // namespace

void prepare_blocks(std::span<RowBlock> blocks, const CollectionInfo& collection,
                    VectorPrecision precision, std::span<const RowBits> allowed, ThreadPool& pool) {
  for_all(pool, blocks.size(), [&](std::size_t, std::size_t i) {
    RowBlock& block = blocks[i];
    if (block.factors == nullptr) {
      block.factors =
          std::make_shared<const std::vector<float>>(row_factors(block.norms, collection.metric));
    }
    auto& codes = block.codes[static_cast<std::size_t>(precision)];
    if (codes == nullptr && precision != VectorPrecision::kF32 &&
        allowed[i].count(0, block.sequences.size()) > 0) {
      codes = encode_vectors(block.embeddings, collection.dimension, precision);
    }
  });
}

std::vector<std::vector<Candidate>> scan_rows(const RowScan& scan, const Kernels& kernels,
                                              ThreadPool& pool) {
  const std::size_t num_queries = scan.queries.size() / static_cast<std::size_t>(scan.dimension);
  std::vector<std::vector<Candidate>> results;
  for (std::size_t first = 0; first < num_queries; first += kQueriesPerPass) {
    const std::size_t count = std::min(kQueriesPerPass, num_queries - first);
    const ScanQueries queries(scan, first, count);
    std::vector<TileScanner> scanners;
    for (int i = 0; i < pool.num_threads(); ++i) scanners.emplace_back(scan, kernels, queries);
    for_all(pool, scan.blocks.size(),
            [&](std::size_t thread, std::size_t block) { scanners[thread].scan_block(block); });
    for (std::size_t q = 0; q < count; ++q) {
      std::vector<Candidate> all;
      for (TileScanner& scanner : scanners) scanner.tops()[q].move_to(all);
      results.push_back(best_candidates(std::move(all), scan.limit));
    }
  }
  return results;
}

float exact_score(std::span<const float> a, std::span<const float> b, Metric metric) noexcept {
  // Several sums side by side: compilers make vectors of them, in the order written here.
  constexpr std::size_t kSums = 8;
  std::array<double, kSums> products{};
  std::array<double, kSums> squares_a{};
  std::array<double, kSums> squares_b{};
  std::array<double, kSums> distances{};
  const auto add = [&](std::size_t j, double x, double y) {
    products[j] += x * y;
    squares_a[j] += x * x;
    squares_b[j] += y * y;
    distances[j] += (x - y) * (x - y);
  };
  std::size_t k = 0;
  for (; k + kSums <= a.size(); k += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) add(j, a[k + j], b[k + j]);
  }
  for (; k < a.size(); ++k) add(k % kSums, a[k], b[k]);
  const auto total = [](const std::array<double, kSums>& sums) {
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  };
  if (metric == Metric::kL2) return static_cast<float>(-total(distances));
  if (metric == Metric::kInnerProduct) return static_cast<float>(total(products));
  return static_cast<float>(total(products) / std::sqrt(total(squares_a) * total(squares_b)));
}

}  // namespace aios
