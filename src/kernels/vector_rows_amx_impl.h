/// vector_rows.h on AMX's tiles of bytes. Only for translation units with those flags.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/amx_tiles.h"
#include "kernels/isa_avx512.h"
#include "kernels/vector_rows_impl.h"

namespace aios {
namespace {

/// Queries are left operands as they lie; thirty-two rows at a time are turned into right ones,
/// words of four bytes for sixteen rows, once for all queries.
class AmxByteMatrix {
  static constexpr int64_t kTile = 16;       // rows or queries
  static constexpr int64_t kTileDepth = 64;  // bytes
  static constexpr int64_t kTileWords = kTileDepth / 4;
  static constexpr int64_t kBlock = 2 * kTile;
  static constexpr int64_t kMaxDepth = 2048;
  static_assert(kByteQueryUnit == kTile && kListedRowUnit == kTileDepth);

 public:
  static void run(const ByteMatrixArguments& a) noexcept {
    if (a.stride > kMaxDepth) return dot_byte_matrix(a);
    AmxByteMatrix(a).multiply();
  }

 private:
  explicit AmxByteMatrix(const ByteMatrixArguments& a) noexcept : a_(a) {}

  void multiply() noexcept {
    TileShapes tiles;
    for (int i = 0; i < 8; ++i) {
      tiles.row_bytes[i] = kTileDepth;
      tiles.rows[i] = kTile;
    }
    tiles.load();
    const int64_t whole = a_.num_rows / kBlock * kBlock;
    for (int64_t row = 0; row < whole; row += kBlock) {
      turn_rows(a_.rows + row * a_.dimension);
      for (int64_t q = 0; q < a_.num_queries; q += kBlock) {
        int32_t* const out = a_.out + q * a_.out_stride + row;
        if (a_.num_queries - q > kTile) {
          multiply_block<true>(a_.queries + q * a_.stride, out);
        } else {
          multiply_block<false>(a_.queries + q * a_.stride, out);
        }
      }
    }
    _tile_release();
    ByteMatrixArguments rest = a_;
    rest.rows += whole * a_.dimension;
    rest.num_rows -= whole;
    rest.out += whole;
    dot_byte_matrix(rest);
  }

  /// turned_[tile of depth][tile of rows]. Bytes behind a row's end meet zeros of the queries.
  void turn_rows(const uint8_t* rows) noexcept {
    for (int64_t k = 0; k < a_.stride; k += kTileDepth) {
      for (int64_t half = 0; half < 2; ++half) {
        float* const tile = turned_[k / kTileDepth][half];
        const uint8_t* const first = rows + half * kTile * a_.dimension + k;
        for (int64_t word = 0; word < kTileWords; word += 4) {
          turn_words(first + 4 * word, tile + word * kTile);
        }
      }
    }
    asm volatile("" ::"r"(turned_) : "memory");  // GCC does not know that tiles read memory
  }

  /// out[j][i] = word j of row i, for four words of sixteen rows.
  void turn_words(const uint8_t* rows, float* out) const noexcept {
    if (a_.dimension % 4 == 0) {
      transpose4<Avx512>(reinterpret_cast<const float*>(rows), a_.dimension / 4, out, kTile);
      return;
    }
    alignas(64) uint8_t aligned[kTile * 16];
    for (int64_t i = 0; i < kTile; ++i) {
      _mm_store_si128(reinterpret_cast<__m128i*>(aligned + i * 16),
                      _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + i * a_.dimension)));
    }
    transpose4<Avx512>(reinterpret_cast<const float*>(aligned), 4, out, kTile);
  }

  template <bool kTwoQueries>
  void multiply_block(const int8_t* queries, int32_t* out) const noexcept {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t k = 0; k < a_.stride; k += kTileDepth) {
      const auto* const tiles = turned_[k / kTileDepth];
      _tile_loadd(4, queries + k, static_cast<int>(a_.stride));
      _tile_loadd(6, tiles[0], kTileDepth);
      _tile_dpbsud(0, 4, 6);
      _tile_loadd(7, tiles[1], kTileDepth);
      _tile_dpbsud(1, 4, 7);
      if constexpr (kTwoQueries) {
        _tile_loadd(5, queries + kTile * a_.stride + k, static_cast<int>(a_.stride));
        _tile_dpbsud(2, 5, 6);
        _tile_dpbsud(3, 5, 7);
      }
    }
    const auto bytes = static_cast<int>(a_.out_stride * 4);
    _tile_stored(0, out, bytes);
    _tile_stored(1, out + kTile, bytes);
    if constexpr (kTwoQueries) {
      _tile_stored(2, out + kTile * a_.out_stride, bytes);
      _tile_stored(3, out + kTile * a_.out_stride + kTile, bytes);
    }
  }

  const ByteMatrixArguments& a_;
  alignas(64) float turned_[kMaxDepth / kTileDepth][2][kTile * kTileWords];
};

}  // namespace
}  // namespace aios
