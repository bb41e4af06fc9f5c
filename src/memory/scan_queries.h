/// A scan's queries in the form that products with stored rows want; made once, for all threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "memory/row_scan.h"
#include "memory/vector_codes.h"

namespace aios {

inline constexpr std::size_t kMinMatrixQueries = 4;  // from here on a matrix product is quicker

class ScanQueries {
 public:
  /// Queries [first, first + count) of the scan.
  ScanQueries(const RowScan& scan, std::size_t first, std::size_t count);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// In f32, scaled so that factors of rows alone make scores of products.
  [[nodiscard]] std::span<const float> floats(std::size_t q) const {
    return std::span(floats_).subspan(q * dimension_, dimension_);
  }
  /// All of them, [size, padded_depth(dimension)]; null where there are too few for a matrix
  /// product, or codes are scanned.
  [[nodiscard]] const float* matrix() const noexcept {
    return matrix_.empty() ? nullptr : matrix_.data();
  }
  /// For int8: as `ByteMatrixArguments` wants them, and what their products are scaled by.
  [[nodiscard]] const int8_t* bytes() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t byte_stride() const noexcept;
  [[nodiscard]] const ByteQuery& byte_query(std::size_t q) const { return byte_queries_[q]; }
  /// For signs.
  [[nodiscard]] const SignQuery& sign_query(std::size_t q) const { return sign_queries_[q]; }

 private:
  void scale(std::size_t q, Metric metric);
  void append_bytes(std::size_t q);

  std::size_t size_;
  std::size_t dimension_;
  std::vector<float> floats_;
  std::vector<float> matrix_;
  std::vector<ByteQuery> byte_queries_;
  std::vector<int8_t> bytes_;
  std::vector<SignQuery> sign_queries_;
};

}  // namespace aios
