#include "memory/scan_queries.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace aios {

ScanQueries::ScanQueries(const RowScan& scan, std::size_t first, std::size_t count)
    : size_(count),
      dimension_(static_cast<std::size_t>(scan.dimension)),
      floats_(count * dimension_) {
  const auto queries = scan.queries.subspan(first * dimension_, floats_.size());
  std::copy(queries.begin(), queries.end(), floats_.begin());
  const bool has_codes =
      scan.precision == VectorPrecision::kInt8 || scan.precision == VectorPrecision::kBinary;
  const auto stride = static_cast<std::size_t>(padded_depth(scan.dimension));
  if (!has_codes && count >= kMinMatrixQueries) matrix_.resize(count * stride);
  for (std::size_t q = 0; q < count; ++q) {
    scale(q, scan.metric);
    if (scan.precision == VectorPrecision::kInt8) append_bytes(q);
    if (scan.precision == VectorPrecision::kBinary) {
      sign_queries_.push_back(encode_sign_query(floats(q)));
    }
    if (!matrix_.empty()) std::copy_n(floats(q).data(), dimension_, matrix_.data() + q * stride);
  }
}

std::size_t ScanQueries::byte_stride() const noexcept {
  constexpr auto kUnit = static_cast<std::size_t>(kListedRowUnit);
  return (dimension_ + kUnit - 1) / kUnit * kUnit;
}

void ScanQueries::scale(std::size_t q, Metric metric) {
  const float norm = embedding_norm(floats(q));
  const float scale = metric == Metric::kL2 ? 2 : 1;
  const float divisor = metric == Metric::kCosine && norm > 0 ? norm : 1;
  for (std::size_t k = q * dimension_; k < (q + 1) * dimension_; ++k) {
    floats_[k] *= scale / divisor;
  }
}

void ScanQueries::append_bytes(std::size_t q) {
  constexpr auto kUnit = static_cast<std::size_t>(kByteQueryUnit);
  byte_queries_.push_back(encode_byte_query(floats(q)));
  const std::vector<int8_t>& bytes = byte_queries_.back().bytes;
  bytes_.resize((q + kUnit) / kUnit * kUnit * byte_stride());
  std::copy(bytes.begin(), bytes.end(), bytes_.data() + q * byte_stride());
}

}  // namespace aios
