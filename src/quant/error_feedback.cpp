#include "quant/error_feedback.h"

#include <algorithm>
#include <vector>

#include "quant/inverse_factor.h"
#include "quant/panel_writer.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

/// The rows of one panel while their columns are rounded.
class FeedbackPanel {
 public:
  FeedbackPanel(std::span<const float> weights, int64_t first_row, int64_t num_rows, int64_t depth,
                const QuantizedFormat& format)
      : format_(format),
        finder_(format, GridSearch::kLeastSquares),
        first_row_(first_row),
        num_rows_(num_rows),
        depth_(depth),
        rest_(weights.begin() + first_row * depth,
              weights.begin() + (first_row + num_rows) * depth) {}

  void quantize(std::span<const float> importance, std::span<const float> factor,
                const PanelWriter& writer) {
    const int64_t length = std::min(format_.group_length(depth_), kColumnBlock);
    std::vector<float> errors(static_cast<std::size_t>(num_rows_ * length));
    for (int64_t begin = 0; begin < depth_; begin += length) {
      const int64_t end = std::min(depth_, begin + length);
      for (int64_t row = 0; row < num_rows_; ++row) {
        if (begin % format_.group_length(depth_) == 0) find_grid(row, begin, importance, writer);
        round_columns(row, begin, end, factor, errors.data() + row * length, writer);
        spread(row, begin, end, factor, errors.data() + row * length);
      }
    }
  }

 private:
  static constexpr int64_t kColumnBlock = 128;

  float* row_data(int64_t row) noexcept { return rest_.data() + row * depth_; }

  void find_grid(int64_t row, int64_t begin, std::span<const float> importance,
                 const PanelWriter& writer) {
    const int64_t length = format_.group_length(depth_);
    const auto size = static_cast<std::size_t>(std::min(length, depth_ - begin));
    grids_.resize(static_cast<std::size_t>(num_rows_));
    GroupGrid& grid = grids_[static_cast<std::size_t>(row)];
    grid = finder_.find({row_data(row) + begin, size},
                        importance.subspan(static_cast<std::size_t>(begin), size));
    writer.write_grid(first_row_ + row, begin / length, grid);
  }

  /// Rounds columns [begin, end) one after the other; each error moves the columns up to `end`.
  /// @param errors [end - begin], what the columns after `end` are still owed
  void round_columns(int64_t row, int64_t begin, int64_t end, std::span<const float> factor,
                     float* errors, const PanelWriter& writer) {
    const GroupGrid& grid = grids_[static_cast<std::size_t>(row)];
    const int64_t group_begin = begin / format_.group_length(depth_) * format_.group_length(depth_);
    const float scale = f16_to_float(grid.scale);
    float* const x = row_data(row);
    for (int64_t k = begin; k < end; ++k) {
      const BlockGrid block =
          grid.blocks.empty()
              ? BlockGrid{}
              : grid.blocks[static_cast<std::size_t>((k - group_begin) / format_.block_size())];
      const int64_t code = nearest_code(format_, block, scale, x[k]);
      writer.write_code(first_row_ + row, k, code);
      const float rounded = scale * static_cast<float>(point_offset(format_, block, code));
      const float* const line = factor.data() + k * depth_;
      const float error = (x[k] - rounded) / line[k];
      errors[k - begin] = error;
      for (int64_t j = k + 1; j < end; ++j) x[j] -= error * line[j];
    }
  }

  void spread(int64_t row, int64_t begin, int64_t end, std::span<const float> factor,
              const float* errors) noexcept {
    float* const x = row_data(row);
    for (int64_t k = begin; k < end; ++k) {
      const float* const line = factor.data() + k * depth_;
      const float error = errors[k - begin];
      for (int64_t j = end; j < depth_; ++j) x[j] -= error * line[j];
    }
  }

  QuantizedFormat format_;
  GroupGridFinder finder_;
  int64_t first_row_;
  int64_t num_rows_;
  int64_t depth_;
  std::vector<float> rest_;  // [num_rows, depth], the weights less what is made good
  std::vector<GroupGrid> grids_;
};

}  // namespace

QuantizedWeights quantize_with_feedback(ThreadPool& pool, std::span<const float> weights,
                                        int64_t rows, int64_t depth, const QuantizedFormat& format,
                                        std::span<const float> importance,
                                        std::span<const float> covariance) {
  const std::vector<float> factor = inverse_factor(pool, covariance, depth);
  QuantizedWeights result = make_empty_weights(rows, depth, format);
  const PanelWriter writer(result);
  pool.parallel_for(QuantizedFormat::num_panels(rows), [&](int64_t panel) {
    const int64_t first_row = panel * kPanelRows;
    FeedbackPanel rows_of_panel(weights, first_row, std::min(kPanelRows, rows - first_row), depth,
                                format);
    rows_of_panel.quantize(importance, factor, writer);
  });
  return result;
}

}  // namespace aios
