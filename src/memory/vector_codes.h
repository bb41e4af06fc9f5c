/// Stored vectors in fewer bits, for the first pass of a search.
#pragma once

#include <memory>

#include "aios/memory.h"
#include "base/aligned_buffer.h"

namespace aios {

/// The codes of a block's rows. `kF16`, `kBF16`: [rows, dimension] halves. `kInt8`: bytes
/// round(x / scale) + 128 with scale = max |x| / 127 of the row. `kBinary`: a bit per element, set
/// where it is positive, [rows, code_words(dimension)].
struct VectorCodes {
  AlignedBuffer<std::byte> bytes;
  std::vector<float> scales;  ///< per row; int8 only
};

[[nodiscard]] constexpr int64_t code_words(int64_t dimension) noexcept {
  return (dimension + 63) / 64;
}

/// @param precision not kF32
[[nodiscard]] std::shared_ptr<const VectorCodes> encode_vectors(std::span<const float> vectors,
                                                                int32_t dimension,
                                                                VectorPrecision precision);

/// A query's signed bytes, its scale, and their sum: with a row's codes c and scale s, the product
/// is about scale * s * (sum over k of c[k] * bytes[k] - 128 * sum).
struct ByteQuery {
  std::vector<int8_t> bytes;
  float scale = 0;
  int32_t sum = 0;
};
[[nodiscard]] ByteQuery encode_byte_query(std::span<const float> query);

}  // namespace aios
