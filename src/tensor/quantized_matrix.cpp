#include "tensor/quantized_matrix.h"

#include <utility>

namespace aios {
namespace {

constexpr std::pair<QuantType, std::string_view> kNames[] = {{QuantType::kNone, "none"},
                                                             {QuantType::kInt8, "int8"},
                                                             {QuantType::kInt4, "int4"},
                                                             {QuantType::kInt2, "int2"}};

/// The three bytes of a pair of int4's blocks, each in a plane of the panel's 32 rows: the even
/// block's step with two low bits of its start, the odd block's, and the high bits of both starts.
struct PairPlaces {
  int64_t own;
  int64_t shared;
  int shared_shift;
};

PairPlaces pair_places(int64_t panel_row, int64_t block) noexcept {
  const int64_t pair = block / 2 * 3 * kPanelRows + panel_row;
  return {pair + block % 2 * kPanelRows, pair + 2 * kPanelRows, block % 2 == 0 ? 0 : 4};
}

}  // namespace

std::string_view quant_type_name(QuantType type) noexcept {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == type) return name;
  }
  return "unknown";
}

std::optional<QuantType> quant_type_from_name(std::string_view name) noexcept {
  for (const auto& [type, candidate] : kNames) {
    if (candidate == name) return type;
  }
  return std::nullopt;
}

CodePlace code_place(QuantType type, int64_t panel_row, int64_t k) noexcept {
  constexpr int64_t kWordRow = kPanelRows * kWordDepth;  // bytes of one word for every row
  const int64_t word = panel_row * kWordDepth;
  switch (type) {
    case QuantType::kInt4:  // the bytes of a pair are swapped: kernels multiply 16 bits at a time
      return {k / 8 * kWordRow + word + (k % 4 ^ 1), static_cast<int>(k / 4 % 2 * 4)};
    case QuantType::kInt2:
      return {k / 16 * kWordRow + word + k % 4, static_cast<int>(k / 4 % 4 * 2)};
    default:
      return {k / 4 * kWordRow + word + k % 4, 0};
  }
}

BlockGrid load_block_grid(QuantType type, const uint8_t* panel_blocks, int64_t panel_row,
                          int64_t block) noexcept {
  if (type == QuantType::kInt2) {
    const int64_t byte = panel_blocks[block * kPanelRows + panel_row];
    return {.start = byte >> 4, .step = byte & 15};
  }
  const PairPlaces places = pair_places(panel_row, block);
  const int64_t own = panel_blocks[places.own];
  const int64_t high = panel_blocks[places.shared] >> places.shared_shift & 15;
  return {.start = high << 2 | own >> 6, .step = own & 63};
}

void store_block_grid(QuantType type, BlockGrid grid, uint8_t* panel_blocks, int64_t panel_row,
                      int64_t block) noexcept {
  if (type == QuantType::kInt2) {
    panel_blocks[block * kPanelRows + panel_row] =
        static_cast<uint8_t>(grid.start << 4 | grid.step);
    return;
  }
  const PairPlaces places = pair_places(panel_row, block);
  panel_blocks[places.own] = static_cast<uint8_t>((grid.start & 3) << 6 | grid.step);
  panel_blocks[places.shared] =
      static_cast<uint8_t>(panel_blocks[places.shared] | grid.start >> 2 << places.shared_shift);
}

uint8_t QuantizedMatrix::point(int64_t row, int64_t k) const noexcept {
  const int64_t panel = row / kPanelRows;
  const int64_t panel_row = row % kPanelRows;
  const CodePlace place = code_place(format.type, panel_row, k);
  const auto code = panel_codes(panel)[place.byte] >> place.shift & format.max_code();
  if (format.type == QuantType::kInt8) return static_cast<uint8_t>(code);
  const BlockGrid grid =
      load_block_grid(format.type, panel_blocks(panel), panel_row, k / format.block_size());
  return format.point(grid.start, grid.step, code);
}

}  // namespace aios
