#include "quant/arrow_quant.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "aios/error.h"
#include "quant/error_feedback.h"
#include "quant/panel_writer.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

void check_weights(std::span<const float> weights) {
  constexpr float kMaxWeight = 127.0F * 65504.0F;
  for (const float weight : weights) {
    if (std::abs(weight) <= kMaxWeight) continue;
    throw FormatError("a weight of " + std::to_string(weight) +
                      " cannot be quantised: weights are finite and below 8.3e6");
  }
}

void check_options(const QuantizedFormat& format, int64_t depth, const QuantizeOptions& options) {
  if (format.type == QuantType::kNone || !format.has_valid_group_size()) {
    throw ConfigError("group_size " + std::to_string(format.group_size) + " of " +
                      std::string(quant_type_name(format.type)) +
                      " is not one of 32, 64, 128, or 0 for whole rows");
  }
  if (options.inputs == nullptr) return;
  const auto size = static_cast<std::size_t>(depth);
  const auto& [moments, covariance] = *options.inputs;
  if (moments.size() != size || (!covariance.empty() && covariance.size() != size * size)) {
    throw ConfigError("the statistics are of " + std::to_string(moments.size()) +
                      " inputs where the matrix has " + std::to_string(depth));
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(moments, finite) || !std::ranges::all_of(covariance, finite)) {
    throw ConfigError("the statistics of the inputs are not finite");
  }
}

/// Second moments as importance: columns that calibration never saw still count a little.
std::vector<float> importance_of(const InputStatistics* inputs, int64_t depth) {
  std::vector<float> importance(static_cast<std::size_t>(depth), 1.0F);
  if (inputs == nullptr) return importance;
  double sum = 0;
  for (const float moment : inputs->second_moments) sum += moment;
  constexpr double kFloor = 1e-4;
  const auto floor = static_cast<float>(kFloor * sum / static_cast<double>(depth));
  if (!(floor > 0)) return importance;
  std::ranges::transform(inputs->second_moments, importance.begin(),
                         [&](float moment) { return std::max(moment, floor); });
  return importance;
}

/// Quantises the rows of one panel, each weight by itself.
class RowQuantizer {
 public:
  RowQuantizer(const QuantizedFormat& format, GridSearch search, int64_t depth)
      : format_(format), finder_(format, search), depth_(depth) {}

  void quantize(int64_t row, std::span<const float> weights, std::span<const float> importance,
                const PanelWriter& writer) {
    const int64_t length = format_.group_length(depth_);
    for (int64_t group = 0; group < format_.num_groups(depth_); ++group) {
      const int64_t begin = group * length;
      const int64_t end = std::min(depth_, begin + length);
      const auto offset = static_cast<std::size_t>(begin);
      const auto size = static_cast<std::size_t>(end - begin);
      const GroupGrid& grid =
          finder_.find(weights.subspan(offset, size), importance.subspan(offset, size));
      writer.write_grid(row, group, grid);
      const float scale = f16_to_float(grid.scale);
      for (int64_t k = begin; k < end; ++k) {
        const BlockGrid block =
            grid.blocks.empty()
                ? BlockGrid{}
                : grid.blocks[static_cast<std::size_t>((k - begin) / format_.block_size())];
        writer.write_code(
            row, k, nearest_code(format_, block, scale, weights[static_cast<std::size_t>(k)]));
      }
    }
  }

 private:
  QuantizedFormat format_;
  GroupGridFinder finder_;
  int64_t depth_;
};

/// @param weights of the row, [depth]
void add_row_error(const float* weights, const QuantizedMatrix& matrix, int64_t row,
                   std::span<const float> importance, QuantizationError& error) noexcept {
  const int64_t length = matrix.format.group_length(matrix.depth);
  for (int64_t begin = 0; begin < matrix.depth; begin += length) {
    const float scale = f16_to_float(matrix.scale(row, begin));
    for (int64_t k = begin; k < std::min(begin + length, matrix.depth); ++k) {
      const double weight = importance.empty() ? 1 : importance[static_cast<std::size_t>(k)];
      const float rounded = scale * static_cast<float>(matrix.point(row, k) - kGridZero);
      const double rest = double{weights[k]} - rounded;
      error.squared_error += weight * rest * rest;
      error.squared_weights += weight * weights[k] * weights[k];
    }
  }
}

}  // namespace

TensorView make_view(QuantizedWeights weights, DType dtype) {
  const auto owner = std::make_shared<const QuantizedWeights>(std::move(weights));
  const auto codes = std::as_bytes(owner->codes.span());
  return {.dtype = dtype,
          .shape = {owner->rows, owner->depth},
          .data = codes.data(),
          .num_bytes = codes.size(),
          .owner = owner,
          .format = owner->format,
          .blocks = std::as_bytes(owner->blocks.span()),
          .scales = std::as_bytes(owner->scales.span())};
}

QuantizedWeights ArrowQuant::quantize(std::span<const float> weights, int64_t rows, int64_t depth,
                                      const QuantizedFormat& format,
                                      const QuantizeOptions& options) const {
  check_options(format, depth, options);
  check_weights(weights);
  if (options.inputs != nullptr && !options.inputs->covariance.empty()) {
    return quantize_with_feedback(pool_, weights, rows, depth, format,
                                  importance_of(options.inputs, depth), options.inputs->covariance);
  }
  QuantizedWeights result = make_empty_weights(rows, depth, format);
  const std::vector<float> importance = importance_of(options.inputs, depth);
  const PanelWriter writer(result);
  pool_.parallel_for(QuantizedFormat::num_panels(rows), [&](int64_t panel) {
    RowQuantizer quantizer(format, options.search, depth);
    for (int64_t row = panel * kPanelRows; row < std::min(rows, (panel + 1) * kPanelRows); ++row) {
      quantizer.quantize(
          row,
          weights.subspan(static_cast<std::size_t>(row * depth), static_cast<std::size_t>(depth)),
          importance, writer);
    }
  });
  return result;
}

std::vector<float> ArrowQuant::dequantize(const QuantizedMatrix& matrix) {
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(matrix.rows * matrix.depth));
  for (int64_t row = 0; row < matrix.rows; ++row) {
    for (int64_t k = 0; k < matrix.depth; ++k) {
      const int64_t offset = matrix.point(row, k) - kGridZero;
      weights.push_back(f16_to_float(matrix.scale(row, k)) * static_cast<float>(offset));
    }
  }
  return weights;
}

QuantizationError ArrowQuant::error(std::span<const float> weights, const QuantizedMatrix& matrix,
                                    std::span<const float> importance) const {
  std::vector<QuantizationError> panels(
      static_cast<std::size_t>(QuantizedFormat::num_panels(matrix.rows)));
  pool_.parallel_for(std::ssize(panels), [&](int64_t panel) {
    QuantizationError& error = panels[static_cast<std::size_t>(panel)];
    const int64_t end = std::min(matrix.rows, (panel + 1) * kPanelRows);
    for (int64_t row = panel * kPanelRows; row < end; ++row) {
      add_row_error(weights.data() + row * matrix.depth, matrix, row, importance, error);
    }
  });
  QuantizationError error;
  for (const QuantizationError& panel : panels) {
    error.squared_error += panel.squared_error;
    error.squared_weights += panel.squared_weights;
  }
  return error;
}

}  // namespace aios
