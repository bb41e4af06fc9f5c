/// Stored vectors in fewer bits, for the first pass of a search.
#pragma once

#include <memory>

#include "aios/memory.h"
#include "base/aligned_buffer.h"

namespace aios {

/// The codes of a block's rows. `kF16`, `kBF16`: [rows, dimension] halves. `kInt8`: bytes
/// round(x / scale) + 128, ties to even, with scale = max |x| / 127 of the row. `kBinary`: a bit
/// per element, set where it is positive, in panels as `SumCodesFunction` reads them, and the scale
/// of the row that makes signs estimate products without bias: |x|^2 / sum |x| (Gao and Long,
/// RaBitQ, SIGMOD 2024, without its rotation).
struct VectorCodes {
  AlignedBuffer<std::byte> bytes;
  std::vector<float> scales;  ///< per row; int8 and binary
};

[[nodiscard]] constexpr int64_t sign_bytes(int64_t dimension) noexcept {
  return (dimension + 7) / 8;
}

/// @param precision not kF32
[[nodiscard]] std::shared_ptr<const VectorCodes> encode_vectors(std::span<const float> vectors,
                                                                int32_t dimension,
                                                                VectorPrecision precision);

/// What makes scores of products: the inverse of each norm for cosines, minus its square for L2.
[[nodiscard]] std::vector<float> row_factors(std::span<const float> norms, Metric metric);

/// How a row's product with a query becomes its score: product * factor + offset. The query's scale
/// is as `scale_query` makes it.
struct RowScore {
  float factor = 0;
  float offset = 0;
};
/// Of int8 codes, whose scales these are.
[[nodiscard]] std::vector<RowScore> row_scores(std::span<const float> scales,
                                               std::span<const float> norms, Metric metric);

/// A query's signed bytes, its scale, and their sum: with a row's codes c and scale s, the product
/// is about scale * s * (sum over k of c[k] * bytes[k] - 128 * sum).
struct ByteQuery {
  std::vector<int8_t> bytes;
  float scale = 0;
  int32_t sum = 0;
};
[[nodiscard]] ByteQuery encode_byte_query(std::span<const float> query);

/// A query as a table of `SumCodesFunction`: with a row's signs and scale s, the product is about
/// s * (step * sum + offset).
struct SignQuery {
  std::vector<uint8_t> table;
  float step = 0;
  float offset = 0;
};
[[nodiscard]] SignQuery encode_sign_query(std::span<const float> query);

}  // namespace aios
