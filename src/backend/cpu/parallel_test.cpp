#include "backend/cpu/parallel.h"

#include <gtest/gtest.h>

namespace aios {
namespace {

constexpr TileSize kLargest{.rows = 256, .columns = 128};

TEST(MatmulGrid, CoversEveryElementOnce) {
  for (const int threads : {1, 2, 3}) {
    const ThreadPool pool(threads);
    for (const int64_t rows : {1, 16, 255, 256, 257, 600}) {
      for (const int64_t columns : {1, 63, 64, 384, 896, 1024, 4864}) {
        for (const int64_t unit : {32, 64, 80, 128, 384}) {
          SCOPED_TRACE(testing::Message() << threads << " threads, " << rows << " x " << columns
                                          << ", units of " << unit);
          const TileGrid grid = matmul_grid(pool, rows, columns, kLargest, unit);
          int64_t row = 0, column = 0;  // where the next tile begins
          for (int64_t i = 0; i < grid.num_tiles(); ++i) {
            const Tile tile = grid.tile(i);
            ASSERT_EQ(tile.row_begin, row);
            ASSERT_EQ(tile.column_begin, column);
            ASSERT_EQ(row % 16, 0);
            ASSERT_EQ(column % unit, 0);
            ASSERT_LE(tile.rows(), kLargest.rows);
            ASSERT_LE(tile.rows() * tile.columns(), grid.max_tile_size());
            row = tile.row_end == rows ? 0 : tile.row_end;
            if (row == 0) column = tile.column_end;
          }
          ASSERT_EQ(row, 0);
          ASSERT_EQ(column, columns);
        }
      }
    }
  }
}

TEST(MatmulGrid, SharesColumnsEvenly) {
  const ThreadPool pool(2);
  for (const int64_t columns : {896, 1024, 1536, 3072, 4096}) {
    EXPECT_EQ(matmul_grid(pool, 64, columns, kLargest).num_tiles() % 2, 0) << columns;
  }
}

}  // namespace
}  // namespace aios
