/// Matrices of random weights in every type that products read.
#pragma once

#include <cstdint>
#include <string>

#include "backend/backend.h"
#include "tensor/dtype.h"
#include "tensor/quantized_matrix.h"

namespace aios::bench {

/// 8 bits with a scale for each row; 4 bits in blocks of 32 and 2 bits in blocks of 16, each block
/// with its start and step, in groups of 128: 4.5 and 2.625 bits a weight (docs/adr/0006).
inline constexpr QuantizedFormat kQuantizedFormats[] = {
    {QuantType::kInt8, 0}, {QuantType::kInt4, 128}, {QuantType::kInt2, 128}};

struct WeightFormat {
  DType dtype = DType::kF32;    // unless it is quantised
  QuantizedFormat quantized{};  // or kNone
  [[nodiscard]] bool is_quantized() const { return quantized.type != QuantType::kNone; }
  /// Of a matrix [rows, depth], in bytes.
  [[nodiscard]] int64_t bytes(int64_t rows, int64_t depth) const;
};

struct Weights {
  Weights(Backend& backend, const WeightFormat& format, int64_t columns, int64_t depth);
  std::string name;  // of the type
  int64_t num_bytes = 0;
  Linear linear;
};

}  // namespace aios::bench
