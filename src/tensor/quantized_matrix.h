/// Weight matrices in 8, 4 or 2 bits, in panels that kernels read where they are mapped.
///
/// docs/formats/parquet-v2.md is the specification. In short: a row (an output channel) is cut
/// along its depth into groups; the weights of a group lie on a grid of 256 points,
///     weight = scale * (point - 128), scale an f16 for each row and group.
/// int8 stores the points. int4 and int2 store, for each block of 32 or 16 weights, a start and a
/// step within the grid, and for each weight a code that counts steps:
///     int4: point = 4 * start + code * step / 4, start and step of 6 bits;
///     int2: point = 8 * start + 4 * code * step, start and step of 4 bits;
/// divisions round down, sums are modulo 256. A panel holds 32 rows. Rows and depth are padded to
/// whole multiples of 32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aios {

enum class QuantType : uint8_t { kNone, kInt8, kInt4, kInt2 };

/// The name used in Parquet V2 files and on the command line: `none`, `int8`, `int4`, `int2`.
[[nodiscard]] std::string_view quant_type_name(QuantType type) noexcept;
[[nodiscard]] std::optional<QuantType> quant_type_from_name(std::string_view name) noexcept;

inline constexpr int64_t kPanelRows = 32;
inline constexpr int64_t kGridZero = 128;  // the point of weight 0
inline constexpr int64_t kDepthUnit = 32;  // depth is padded to a multiple of this
inline constexpr int64_t kMaxGroup = 128;  // integer sums run over this depth at most
inline constexpr int64_t kWordDepth = 4;   // depth steps side by side in a row's word

/// Sizes and places of a quantised matrix [rows, depth]. Group sizes are 0 (the whole depth is one
/// group), 32, 64 or 128; the last group may be shorter.
struct QuantizedFormat {
  QuantType type = QuantType::kNone;
  int32_t group_size = 0;

  bool operator==(const QuantizedFormat&) const = default;

  [[nodiscard]] constexpr int64_t bits() const noexcept {
    return type == QuantType::kInt8 ? 8 : type == QuantType::kInt4 ? 4 : 2;
  }
  /// Weights that share a start and a step; 0 for int8.
  [[nodiscard]] constexpr int64_t block_size() const noexcept {
    return type == QuantType::kInt4 ? 32 : type == QuantType::kInt2 ? 16 : 0;
  }
  [[nodiscard]] constexpr int64_t max_code() const noexcept { return (int64_t{1} << bits()) - 1; }
  [[nodiscard]] constexpr int64_t max_step() const noexcept {
    return type == QuantType::kInt4 ? 63 : 15;
  }
  [[nodiscard]] constexpr int64_t max_start() const noexcept { return max_step(); }
  [[nodiscard]] constexpr bool has_valid_group_size() const noexcept {
    return group_size == 0 || (group_size >= kDepthUnit && group_size <= kMaxGroup &&
                               (group_size & (group_size - 1)) == 0);
  }

  /// The point that a code stands for in a block of int4 or int2.
  [[nodiscard]] constexpr uint8_t point(int64_t start, int64_t step, int64_t code) const noexcept {
    return static_cast<uint8_t>(type == QuantType::kInt4 ? 4 * start + code * step / 4
                                                         : 8 * start + 4 * code * step);
  }

  static constexpr int64_t padded(int64_t size) noexcept {
    return (size + kDepthUnit - 1) / kDepthUnit * kDepthUnit;
  }
  static constexpr int64_t num_panels(int64_t rows) noexcept {
    return (rows + kPanelRows - 1) / kPanelRows;
  }
  [[nodiscard]] constexpr int64_t group_length(int64_t depth) const noexcept {
    return group_size == 0 ? padded(depth) : group_size;
  }
  [[nodiscard]] constexpr int64_t num_groups(int64_t depth) const noexcept {
    return depth == 0 ? 0 : (depth + group_length(depth) - 1) / group_length(depth);
  }

  // Of one panel: codes; blocks' starts and steps, in bytes; scales, in f16 elements.
  [[nodiscard]] constexpr int64_t panel_code_bytes(int64_t depth) const noexcept {
    return padded(depth) * kPanelRows * bits() / 8;
  }
  [[nodiscard]] constexpr int64_t panel_block_bytes(int64_t depth) const noexcept {
    if (type == QuantType::kInt8) return 0;
    if (type == QuantType::kInt2) return padded(depth) / 16 * kPanelRows;
    return (padded(depth) / 32 + 1) / 2 * 3 * kPanelRows;  // two blocks in three bytes
  }
  [[nodiscard]] constexpr int64_t panel_scales(int64_t depth) const noexcept {
    return num_groups(depth) * kPanelRows;
  }

  // Of a whole matrix, in bytes.
  [[nodiscard]] constexpr int64_t code_bytes(int64_t rows, int64_t depth) const noexcept {
    return num_panels(rows) * panel_code_bytes(depth);
  }
  [[nodiscard]] constexpr int64_t block_bytes(int64_t rows, int64_t depth) const noexcept {
    return num_panels(rows) * panel_block_bytes(depth);
  }
  [[nodiscard]] constexpr int64_t scale_bytes(int64_t rows, int64_t depth) const noexcept {
    return num_panels(rows) * panel_scales(depth) * int64_t{sizeof(uint16_t)};
  }
};

/// Scales are finite and above 0; a group of zeros has points of kGridZero under any scale.
constexpr bool is_valid_scale(uint16_t f16) noexcept { return f16 > 0 && f16 < 0x7c00; }

/// A quantised matrix in memory: borrows its three parts.
struct QuantizedMatrix {
  QuantizedFormat format;
  int64_t rows = 0;
  int64_t depth = 0;
  const uint8_t* codes = nullptr;    // [num_panels, panel_code_bytes], 64-byte boundary
  const uint8_t* blocks = nullptr;   // [num_panels, panel_block_bytes]
  const uint16_t* scales = nullptr;  // [num_panels, num_groups, 32], f16

  [[nodiscard]] const uint8_t* panel_codes(int64_t panel) const noexcept {
    return codes + panel * format.panel_code_bytes(depth);
  }
  [[nodiscard]] const uint8_t* panel_blocks(int64_t panel) const noexcept {
    return blocks + panel * format.panel_block_bytes(depth);
  }
  [[nodiscard]] const uint16_t* panel_scales(int64_t panel) const noexcept {
    return scales + panel * format.panel_scales(depth);
  }

  /// The grid's point of one weight: the definition that everything else is tested against.
  [[nodiscard]] uint8_t point(int64_t row, int64_t k) const noexcept;
  /// The f16 scale of one weight.
  [[nodiscard]] uint16_t scale(int64_t row, int64_t k) const noexcept {
    return panel_scales(row /
                        kPanelRows)[k / format.group_length(depth) * kPanelRows + row % kPanelRows];
  }
};

/// Where a code lies in its panel: shift the byte right and keep `bits()` bits.
struct CodePlace {
  int64_t byte;
  int shift;
};
[[nodiscard]] CodePlace code_place(QuantType type, int64_t panel_row, int64_t k) noexcept;

/// A block's start and step, as they are packed.
struct BlockGrid {
  int64_t start = 0;
  int64_t step = 0;
};
/// @param block index along the depth
[[nodiscard]] BlockGrid load_block_grid(QuantType type, const uint8_t* panel_blocks,
                                        int64_t panel_row, int64_t block) noexcept;
/// The bytes must be zero before.
void store_block_grid(QuantType type, BlockGrid grid, uint8_t* panel_blocks, int64_t panel_row,
                      int64_t block) noexcept;

}  // namespace aios
