/// The grid of one group of weights (tensor/quantized_matrix.h): how a scale, and the starts and
/// steps of its blocks, are found, and what weights become on it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/quantized_matrix.h"

namespace aios {

struct GroupGrid {
  uint16_t scale = 0;             // f16, finite and above 0
  std::vector<BlockGrid> blocks;  // one for each block, the last may be short; none for int8
};

/// `kRange` spans each block's smallest to largest weight: round to nearest. `kLeastSquares` looks
/// for the grid whose sum of importance * (weight - rounded weight)^2 is least, among that one and
/// narrower and wider ones.
enum class GridSearch { kRange, kLeastSquares };

/// Finds grids one group at a time. Keeps scratch memory: one for each thread.
class GroupGridFinder {
 public:
  GroupGridFinder(QuantizedFormat format, GridSearch search) : format_(format), search_(search) {}

  /// @param weights finite @param importance of each weight, 0 or above, as many
  /// @return valid until the next call
  const GroupGrid& find(std::span<const float> weights, std::span<const float> importance);

 private:
  struct Block {
    int64_t begin;
    std::span<const float> weights;
    std::span<const float> importance;
    float start;  // the line start + step * code that fits best
    float step;
  };
  void find_int8_scale(std::span<const float> weights, std::span<const float> importance);
  void fit_lines(std::span<const float> weights, std::span<const float> importance,
                 GridSearch search);
  /// Keeps the grid under the scale nearest to `value` if its error is below `best`.
  void try_scale(float value, double& best);
  /// The scale at which every block's line lies on the grid.
  [[nodiscard]] float covering_scale() const noexcept;
  /// The blocks' best starts and steps under a scale. @return the error, or what is above `limit`
  double fit_blocks(float scale, double limit);
  double fit_block(const Block& block, float scale, BlockGrid& best) const noexcept;

  QuantizedFormat format_;
  GridSearch search_;
  GroupGrid grid_;
  std::vector<Block> blocks_;
  std::vector<BlockGrid> candidate_;
};

/// The code whose point is nearest to `weight`. @param block ignored for int8
[[nodiscard]] int64_t nearest_code(const QuantizedFormat& format, const BlockGrid& block,
                                   float scale, float weight) noexcept;

/// What `code` stands for, in multiples of the scale.
[[nodiscard]] inline int64_t point_offset(const QuantizedFormat& format, const BlockGrid& block,
                                          int64_t code) noexcept {
  return (format.type == QuantType::kInt8 ? code : format.point(block.start, block.step, code)) -
         kGridZero;
}

}  // namespace aios
