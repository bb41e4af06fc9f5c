/// Weights to INT8, INT4 and INT2 and back, with the error that it cost.
///
/// The slow clear codec: what it writes is what kernels read, and what kernels are tested against.
/// Thread-safe; work is shared among the threads of a pool.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "quant/group_grid.h"
#include "tensor/quantized_matrix.h"
#include "tensor/tensor_view.h"

namespace aios {

/// A quantised matrix that owns its memory.
struct QuantizedWeights {
  QuantizedFormat format;
  int64_t rows = 0;
  int64_t depth = 0;
  AlignedBuffer<uint8_t> codes;
  AlignedBuffer<uint8_t> blocks;
  AlignedBuffer<uint16_t> scales;

  [[nodiscard]] QuantizedMatrix matrix() const noexcept {
    return {format, rows, depth, codes.data(), blocks.data(), scales.data()};
  }
};

/// @param dtype of the elements before @return owns `weights`
[[nodiscard]] TensorView make_view(QuantizedWeights weights, DType dtype);

/// How much of a matrix was lost: sums over importance * x^2.
struct QuantizationError {
  double squared_error = 0;
  double squared_weights = 0;
  [[nodiscard]] double relative() const noexcept {
    return squared_weights > 0 ? squared_error / squared_weights : 0;
  }
};

/// What calibration found of the rows x that meet a matrix.
struct InputStatistics {
  std::vector<float> second_moments;  ///< mean of x[k]^2, [depth]
  /// Mean of x[i] x[j], [depth, depth], for error feedback; or empty.
  std::vector<float> covariance;
};

struct QuantizeOptions {
  GridSearch search = GridSearch::kLeastSquares;
  /// Null: all inputs count alike. With second moments the search minimises the error of the
  /// outputs as far as inputs are independent; with a covariance the errors of earlier columns are
  /// made good by later ones (GPTQ, arXiv 2210.17323).
  const InputStatistics* inputs = nullptr;
};

class ArrowQuant {
 public:
  explicit ArrowQuant(ThreadPool& pool) : pool_(pool) {}

  /// @param weights [rows, depth], both above 0
  /// @throws FormatError if a weight is not finite or beyond what an f16 scale reaches (8.3e6);
  /// ConfigError if the format's group size is none of its own, or the statistics are of another
  /// depth or not finite
  [[nodiscard]] QuantizedWeights quantize(std::span<const float> weights, int64_t rows,
                                          int64_t depth, const QuantizedFormat& format,
                                          const QuantizeOptions& options = {}) const;

  /// [rows, depth]
  [[nodiscard]] static std::vector<float> dequantize(const QuantizedMatrix& matrix);

  /// Sums run in one order, whatever the number of threads.
  /// @param importance of each column, [depth], or empty: all 1
  [[nodiscard]] QuantizationError error(std::span<const float> weights,
                                        const QuantizedMatrix& matrix,
                                        std::span<const float> importance = {}) const;

 private:
  ThreadPool& pool_;
};

}  // namespace aios
