#include "backend/cpu/parallel.h"

namespace aios {

TileGrid matmul_grid(const ThreadPool& pool, int64_t rows, int64_t columns, int64_t depth,
                     int64_t column_unit) noexcept {
  constexpr int64_t kRowBlockElements = 128 * 1024;
  constexpr int64_t kMinRowBlock = 48;
  constexpr int64_t kMinColumns = 64;
  constexpr int64_t kTilesPerThread = 8;
  const int64_t row_block = std::max(
      kMinRowBlock, kRowBlockElements / std::max<int64_t>(depth, 1) / kMinRowBlock * kMinRowBlock);
  const int64_t even_share = columns / (kTilesPerThread * pool.num_threads());
  const int64_t units = (std::max(even_share, kMinColumns) + column_unit - 1) / column_unit;
  return {rows, columns, row_block, units * column_unit};
}

}  // namespace aios
