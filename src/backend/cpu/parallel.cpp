#include "backend/cpu/parallel.h"

#include <limits>

namespace aios {

namespace {

/// The multiple of `unit`, at most the first from `max_size` on, that lets `threads` end soonest:
/// small tiles begin and end often, large ones may leave a thread without work.
int64_t quickest_size(int64_t columns, int64_t row_blocks, int64_t threads, int64_t unit,
                      int64_t min_size, int64_t max_size) noexcept {
  constexpr int64_t kStartColumns = 16;  // multiplied while a tile begins and ends
  int64_t quickest = divide_up(min_size, unit) * unit;
  int64_t least_time = std::numeric_limits<int64_t>::max();
  for (int64_t size = quickest; size < max_size + unit; size += unit) {
    const int64_t tiles = divide_up(columns, size) * row_blocks;
    const int64_t time = divide_up(tiles, threads) * (size + kStartColumns);
    if (time >= least_time) continue;
    quickest = size;
    least_time = time;
  }
  return quickest;
}

}  // namespace

TileGrid matmul_grid(const ThreadPool& pool, int64_t rows, int64_t columns, TileSize largest,
                     int64_t column_unit) noexcept {
  constexpr int64_t kRowUnit = 16;  // whole groups of rows, see bf16_offset
  constexpr int64_t kMinColumns = 64;
  constexpr int64_t kTilesPerThread = 4;  // a thread that is held up leaves some to the others
  const int64_t row_blocks = std::max<int64_t>(1, divide_up(rows, largest.rows));
  const int64_t row_block =
      divide_up(std::max<int64_t>(1, divide_up(rows, row_blocks)), kRowUnit) * kRowUnit;
  const int64_t even_share = columns * row_blocks / (kTilesPerThread * pool.num_threads());
  const int64_t column_block =
      quickest_size(columns, row_blocks, pool.num_threads(), column_unit, kMinColumns,
                    std::clamp(even_share, kMinColumns, largest.columns));
  return {rows, columns, row_block, column_block};
}

}  // namespace aios
