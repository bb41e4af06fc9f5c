/// Puts what was found for a matrix into its panels.
#pragma once

#include <cstdint>

#include "quant/arrow_quant.h"

namespace aios {

/// Memory for a matrix whose codes and blocks are 0 and whose scales are 1, as padding stays.
[[nodiscard]] QuantizedWeights make_empty_weights(int64_t rows, int64_t depth,
                                                  const QuantizedFormat& format);

/// Writes single rows of the matrix. Rows of different panels may be written by different threads.
class PanelWriter {
 public:
  explicit PanelWriter(QuantizedWeights& weights) noexcept : weights_(weights) {}

  /// @param group index along the depth
  void write_grid(int64_t row, int64_t group, const GroupGrid& grid) const noexcept;
  void write_code(int64_t row, int64_t k, int64_t code) const noexcept;

 private:
  QuantizedWeights& weights_;
};

}  // namespace aios
