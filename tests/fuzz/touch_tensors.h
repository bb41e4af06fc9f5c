/// Does with a file of weights what an engine does, and reads every byte it is given.
#pragma once

#include <cstddef>
#include <span>

#include "aios/error.h"
#include "storage/weight_loader.h"

namespace aios {

/// The sum of all bytes, and of all points of a quantised matrix.
inline unsigned touch(const TensorView& view) {
  unsigned sum = 0;
  for (const auto part : {std::span(view.data, view.num_bytes), view.blocks, view.scales}) {
    for (const std::byte byte : part) sum += static_cast<unsigned>(byte);
  }
  if (!view.is_quantized()) return sum;
  const QuantizedMatrix matrix = view.quantized_matrix();
  for (int64_t row = 0; row < matrix.rows; ++row) {
    for (int64_t k = 0; k < matrix.depth; ++k) {
      sum += matrix.point(row, k) + unsigned{matrix.scale(row, k)};
    }
  }
  return sum;
}

/// @return the sum of what was read, so that no read is optimised away
inline unsigned touch_tensors(const WeightLoader& loader) {
  unsigned sum = 0;
  for (const TensorInfo& info : loader.tensors()) {
    try {
      sum += touch(loader.tensor(info.name));
    } catch (const FormatError&) {  // this tensor is bad; the next may be sound
    }
  }
  loader.verify();
  return sum;
}

}  // namespace aios
