/// What the products on AMX's tiles share. Only for translation units with those flags.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace aios {
namespace {

/// Shapes of the eight tiles, as the processor wants them. Those that stay 0 cannot be used.
struct TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void load() const noexcept {
    asm volatile("" ::"r"(this) : "memory");  // GCC takes only the first word for read
    _tile_loadconfig(this);
  }
};
static_assert(sizeof(TileShapes) == 64);

constexpr int64_t at_most(int64_t limit, int64_t count) noexcept {
  return count < limit ? count : limit;
}

}  // namespace
}  // namespace aios
