#include "backend/cpu/parallel.h"

namespace aios {

TileGrid matmul_grid(const ThreadPool& pool, int64_t rows, int64_t columns,
                     int64_t column_unit) noexcept {
  constexpr int64_t kMaxRowBlock = 512;
  constexpr int64_t kRowUnit = 16;  // whole groups of rows, see bf16_offset
  constexpr int64_t kMinColumns = 64;
  constexpr int64_t kMaxColumns = 256;
  constexpr int64_t kTilesPerThread = 8;
  const int64_t row_blocks = std::max<int64_t>(1, divide_up(rows, kMaxRowBlock));
  const int64_t row_block =
      divide_up(std::max<int64_t>(1, divide_up(rows, row_blocks)), kRowUnit) * kRowUnit;
  const int64_t even_share = columns * row_blocks / (kTilesPerThread * pool.num_threads());
  const int64_t column_block = std::clamp(even_share, kMinColumns, kMaxColumns);
  return {rows, columns, row_block, divide_up(column_block, column_unit) * column_unit};
}

}  // namespace aios
