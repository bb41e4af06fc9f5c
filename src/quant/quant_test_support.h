/// What the tests of this room share: random weights, errors in double.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "quant/arrow_quant.h"
#include "quant/panel_writer.h"
#include "tensor/dtype.h"

namespace aios::quant_test {

inline std::size_t index(int64_t value) { return static_cast<std::size_t>(value); }

/// What random weights are drawn from. Student: with 5 degrees of freedom, a heavy tail.
enum class Tail { kNormal, kStudent };

inline std::vector<float> random_weights(int64_t count, Tail tail = Tail::kNormal,
                                         uint32_t seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> student(5);
  std::vector<float> weights(index(count));
  for (float& weight : weights) weight = tail == Tail::kNormal ? normal(engine) : student(engine);
  return weights;
}

/// A matrix of random codes on random grids that a range finds again: every block has its first and
/// last code and every group the grid's first point (int8: point 1), steps of int4 are whole
/// points.
inline QuantizedWeights random_on_grid(QuantizedFormat format, int64_t rows, int64_t depth,
                                       uint32_t seed = 1) {
  std::mt19937 engine(seed);
  const auto below = [&](int64_t limit) { return static_cast<int64_t>(engine() % index(limit)); };
  QuantizedWeights weights = make_empty_weights(rows, depth, format);
  const PanelWriter writer(weights);
  const int64_t length = format.group_length(depth);
  const bool is_int8 = format.type == QuantType::kInt8;
  const int64_t run = is_int8 ? length : format.block_size();  // codes that share a grid
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t group = 0; group < format.num_groups(depth); ++group) {
      const int64_t end = std::min(depth, (group + 1) * length);
      GroupGrid grid;
      grid.scale = static_cast<uint16_t>(0x2000 + below(0x2000));
      for (int64_t k = group * length; k < end; ++k) {
        const int64_t place = k % length % run;
        if (!is_int8 && place == 0) {
          const bool is_int4 = format.type == QuantType::kInt4;
          const int64_t step = is_int4 ? 4 * (1 + below(4)) : 1 + below(15);
          const int64_t span = format.point(0, step, format.max_code());
          const int64_t last = (255 - span) / (is_int4 ? 4 : 8);
          const int64_t start = k == group * length ? 0 : below(std::min<int64_t>(last, 15) + 1);
          grid.blocks.push_back({.start = start, .step = step});
        }
        int64_t code = is_int8 ? 1 + below(255) : below(format.max_code() + 1);
        if (place == 0) code = is_int8 ? 1 : 0;
        if (!is_int8 && place == 1) code = format.max_code();
        writer.write_code(row, k, code);
      }
      writer.write_grid(row, group, grid);
    }
  }
  return weights;
}

/// Sum over rows of (w - q) C (w - q)^T: the squared error of the outputs of inputs whose mean
/// products are C. @param covariance [depth, depth]
inline double output_error(std::span<const float> weights, const QuantizedMatrix& matrix,
                           std::span<const float> covariance) {
  const std::vector<float> rounded = ArrowQuant::dequantize(matrix);
  const std::size_t depth = index(matrix.depth);
  double sum = 0;
  for (std::size_t row = 0; row < index(matrix.rows); ++row) {
    for (std::size_t i = 0; i < depth; ++i) {
      const double rest = double{weights[row * depth + i]} - rounded[row * depth + i];
      for (std::size_t j = 0; j < depth; ++j) {
        sum += rest * covariance[i * depth + j] *
               (double{weights[row * depth + j]} - rounded[row * depth + j]);
      }
    }
  }
  return sum;
}

inline bool same_bytes(const QuantizedWeights& a, const QuantizedWeights& b) {
  const auto same = [](const auto& x, const auto& y) {
    return std::ranges::equal(x.span(), y.span());
  };
  return same(a.codes, b.codes) && same(a.blocks, b.blocks) && same(a.scales, b.scales);
}

inline std::string name_of(const QuantizedFormat& format) {
  return std::string(quant_type_name(format.type)) + " in groups of " +
         std::to_string(format.group_size);
}

/// Every type with every group size.
inline std::vector<QuantizedFormat> all_formats() {
  std::vector<QuantizedFormat> formats;
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    for (const int32_t group_size : {0, 32, 64, 128}) formats.push_back({type, group_size});
  }
  return formats;
}

/// Mean products of inputs whose neighbours are correlated, with unequal sizes: s[i] s[j] r^|i-j|.
inline std::vector<float> correlated(int64_t size, float correlation) {
  std::vector<float> covariance(index(size * size));
  const auto spread = [](int64_t i) { return 0.5F + static_cast<float>(i % 7); };
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) {
      covariance[index(i * size + j)] =
          spread(i) * spread(j) * std::pow(correlation, static_cast<float>(std::abs(i - j)));
    }
  }
  return covariance;
}

}  // namespace aios::quant_test
