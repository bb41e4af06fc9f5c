#include "quant/panel_writer.h"

#include <algorithm>

namespace aios {

QuantizedWeights make_empty_weights(int64_t rows, int64_t depth, const QuantizedFormat& format) {
  constexpr uint16_t kOne = 0x3c00;  // f16
  const auto size = [](int64_t count) { return static_cast<std::size_t>(count); };
  QuantizedWeights weights{
      .format = format,
      .rows = rows,
      .depth = depth,
      .codes = AlignedBuffer<uint8_t>(size(format.code_bytes(rows, depth))),
      .blocks = AlignedBuffer<uint8_t>(size(format.block_bytes(rows, depth))),
      .scales = AlignedBuffer<uint16_t>(size(format.scale_bytes(rows, depth)) / sizeof(uint16_t))};
  std::ranges::fill(weights.codes.span(), uint8_t{0});
  std::ranges::fill(weights.blocks.span(), uint8_t{0});
  std::ranges::fill(weights.scales.span(), kOne);
  return weights;
}

void PanelWriter::write_grid(int64_t row, int64_t group, const GroupGrid& grid) const noexcept {
  const QuantizedFormat& format = weights_.format;
  const int64_t panel = row / kPanelRows;
  const int64_t panel_row = row % kPanelRows;
  weights_.scales
      .data()[panel * format.panel_scales(weights_.depth) + group * kPanelRows + panel_row] =
      grid.scale;
  if (grid.blocks.empty()) return;
  uint8_t* const blocks = weights_.blocks.data() + panel * format.panel_block_bytes(weights_.depth);
  int64_t block = group * format.group_length(weights_.depth) / format.block_size();
  for (const BlockGrid& block_grid : grid.blocks) {
    store_block_grid(format.type, block_grid, blocks, panel_row, block++);
  }
}

void PanelWriter::write_code(int64_t row, int64_t k, int64_t code) const noexcept {
  const QuantizedFormat& format = weights_.format;
  const CodePlace place = code_place(format.type, row % kPanelRows, k);
  uint8_t& byte =
      weights_.codes
          .data()[row / kPanelRows * format.panel_code_bytes(weights_.depth) + place.byte];
  byte = static_cast<uint8_t>(byte | code << place.shift);
}

}  // namespace aios
