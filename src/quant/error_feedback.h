/// Quantisation whose rounding errors later columns make good.
///
/// Frantar et al., GPTQ, arXiv 2210.17323: columns are rounded in order; the error of column k, as
/// far as it changes the outputs, is spread over the columns after it by the inverse of the inputs'
/// covariance. Grids are found when their group's turn comes, on what the weights have become.
#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "quant/arrow_quant.h"

namespace aios {

/// @param importance [depth], for the search of grids @param covariance [depth, depth]
[[nodiscard]] QuantizedWeights quantize_with_feedback(ThreadPool& pool,
                                                      std::span<const float> weights, int64_t rows,
                                                      int64_t depth, const QuantizedFormat& format,
                                                      std::span<const float> importance,
                                                      std::span<const float> covariance);

}  // namespace aios
