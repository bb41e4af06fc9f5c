/// How the work of an operation is cut and shared between threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/kernels.h"

namespace aios {

constexpr int64_t divide_up(int64_t count, int64_t size) noexcept {
  return (count + size - 1) / size;
}

/// Calls `body(item, slot)` for every item in [0, num_items). Items are handed out in ascending
/// order; `slot` < num_threads is held by one thread at a time: the index of its scratch memory.
template <typename Body>
void for_each_item(ThreadPool& pool, int64_t num_items, const Body& body) noexcept {
  const int64_t num_slots = std::min<int64_t>(num_items, pool.num_threads());
  std::atomic<int64_t> next{0};
  pool.parallel_for(num_slots, [&](int64_t slot) {
    while (true) {
      const int64_t item = next.fetch_add(1, std::memory_order_relaxed);
      if (item >= num_items) return;
      body(item, slot);
    }
  });
}

/// Calls `body(begin, end, slot)` for stretches of rows of `columns` elements, which begin at
/// multiples of `row_unit`.
template <typename Body>
void for_each_stretch(ThreadPool& pool, int64_t num_rows, int64_t columns, int64_t row_unit,
                      const Body& body) noexcept {
  constexpr int64_t kElementsPerItem = 8 * 1024;
  const int64_t share = kElementsPerItem / std::max<int64_t>(1, columns);
  const int64_t size = std::max<int64_t>(1, divide_up(share, row_unit)) * row_unit;
  for_each_item(pool, divide_up(num_rows, size), [&](int64_t item, int64_t slot) {
    body(item * size, std::min(num_rows, (item + 1) * size), slot);
  });
}

/// Calls `body(row, slot)` for every row of `columns` elements.
template <typename Body>
void for_each_row(ThreadPool& pool, int64_t num_rows, int64_t columns, const Body& body) noexcept {
  for_each_stretch(pool, num_rows, columns, 1, [&](int64_t begin, int64_t end, int64_t slot) {
    for (int64_t row = begin; row < end; ++row) body(row, slot);
  });
}

struct Tile {
  int64_t row_begin, row_end, column_begin, column_end;
  [[nodiscard]] int64_t rows() const noexcept { return row_end - row_begin; }
  [[nodiscard]] int64_t columns() const noexcept { return column_end - column_begin; }
};

/// A matrix cut into tiles, columns by columns: those of one block of rows after the other meet the
/// same weights.
class TileGrid {
 public:
  TileGrid(int64_t rows, int64_t columns, int64_t row_block, int64_t column_block) noexcept
      : rows_(rows), columns_(columns), row_block_(row_block), column_block_(column_block) {}

  [[nodiscard]] int64_t num_tiles() const noexcept { return row_blocks() * column_blocks(); }
  [[nodiscard]] int64_t column_block() const noexcept { return column_block_; }
  [[nodiscard]] int64_t max_tile_size() const noexcept {
    return std::min(rows_, row_block_) * std::min(columns_, column_block_);
  }
  [[nodiscard]] Tile tile(int64_t index) const noexcept {
    const int64_t row = index % row_blocks() * row_block_;
    const int64_t column = index / row_blocks() * column_block_;
    return {row, std::min(row + row_block_, rows_), column,
            std::min(column + column_block_, columns_)};
  }

 private:
  [[nodiscard]] int64_t row_blocks() const noexcept {
    return (rows_ + row_block_ - 1) / row_block_;
  }
  [[nodiscard]] int64_t column_blocks() const noexcept {
    return divide_up(columns_, column_block_);
  }

  int64_t rows_, columns_, row_block_, column_block_;
};

/// Cuts the result of a matmul into tiles of about `largest` or less: columns in multiples of
/// `column_unit`, and enough tiles for the threads to share evenly. Row blocks begin where a group
/// of `bf16_offset` does.
[[nodiscard]] TileGrid matmul_grid(const ThreadPool& pool, int64_t rows, int64_t columns,
                                   TileSize largest, int64_t column_unit = 64) noexcept;

}  // namespace aios
