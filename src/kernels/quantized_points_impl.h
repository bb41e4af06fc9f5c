/// Codes of a panel to points of the grid (tensor/quantized_matrix.h), on vectors.
#pragma once

#include <cstdint>

#include "tensor/quantized_matrix.h"

namespace aios {
namespace {

/// Eight-bit arithmetic of an instruction set; the contract stands in quantized_avx512.h.
template <typename Isa>
struct QuantizedOps;

/// The points of kPanelRows rows, word by word of four steps along the depth.
template <typename Ops>
class PointDecoder {
  using Bytes = typename Ops::Bytes;
  static constexpr int64_t kWordRow = kPanelRows * kWordDepth;  // bytes of codes
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth;

 public:
  static constexpr int64_t kVectors = kPanelRows / Ops::kRows;  // of a word
  static constexpr int64_t kUnitWords = kDepthUnit / kWordDepth;

  /// Writes points for the products to load.
  /// @param begin, end of the depth, multiples of kDepthUnit
  static void decode(const QuantizedMatrix& weights, int64_t panel, int64_t begin, int64_t end,
                     uint8_t* out) noexcept {
    switch (weights.format.type) {
      case QuantType::kInt4:
        return decode_as<QuantType::kInt4>(weights, panel, begin, end, out);
      case QuantType::kInt2:
        return decode_as<QuantType::kInt2>(weights, panel, begin, end, out);
      default:
        return decode_as<QuantType::kInt8>(weights, panel, begin, end, out);
    }
  }

  /// Calls visit(word, vector, points) for the words of one unit of the depth; points are centred
  /// (Ops::centred).
  /// @param codes, blocks of the panel
  template <QuantType kType, typename Visit>
  static void visit_unit(const uint8_t* codes, const uint8_t* blocks, int64_t unit,
                         const Visit& visit) noexcept {
    if constexpr (kType == QuantType::kInt4) {
      visit_int4(codes + unit * (kUnitWords / 2) * kWordRow, blocks + unit / 2 * 3 * kPanelRows,
                 unit % 2, visit);
    } else if constexpr (kType == QuantType::kInt2) {
      for (int64_t half = 0; half < 2; ++half) {
        visit_int2(codes + (2 * unit + half) * kWordRow, blocks + (2 * unit + half) * kPanelRows,
                   half * (kUnitWords / 2), visit);
      }
    } else {
      visit_int8(codes + unit * kUnitWords * kWordRow, visit);
    }
  }

  /// Codes and blocks are fetched ahead of their decoding, line by line: products of a single row
  /// would leave the memory idle while they multiply what is decoded. Into the first-level cache,
  /// which gains 5 to 8 % of a row, but for processors with AMX, where the second serves faster.
  /// Beyond the end there is nothing to fetch.
  static void fetch_codes(const uint8_t* codes) noexcept { fetch(codes + 2048); }
  static void fetch_blocks(const uint8_t* blocks) noexcept { fetch(blocks + 512); }

 private:
  static void fetch(const uint8_t* address) noexcept {
#ifdef __AMX_TILE__
    __builtin_prefetch(address, 0, 2);
#else
    __builtin_prefetch(address, 0, 3);
#endif
  }

  template <QuantType kType>
  static void decode_as(const QuantizedMatrix& weights, int64_t panel, int64_t begin, int64_t end,
                        uint8_t* out) noexcept {
    const uint8_t* const codes = weights.panel_codes(panel);
    const uint8_t* const blocks = weights.panel_blocks(panel);
    for (int64_t unit = begin / kDepthUnit; unit < end / kDepthUnit; ++unit) {
      visit_unit<kType>(codes, blocks, unit, [&](int64_t word, int64_t vector, Bytes points) {
        Ops::store_points(out + (word * kWordRow + vector * kVectorBytes) * Ops::kPointBytes,
                          points);
      });
      out += kUnitWords * kWordRow * Ops::kPointBytes;
    }
  }

  template <typename Visit>
  static void visit_int8(const uint8_t* codes, const Visit& visit) noexcept {
#pragma GCC unroll 8
    for (int64_t word = 0; word < kUnitWords; ++word) {
#pragma GCC unroll 4
      for (int64_t vector = 0; vector < kVectors; ++vector) {
        const uint8_t* const source = codes + word * kWordRow + vector * kVectorBytes;
        fetch_codes(source);
        visit(word, vector, Ops::centred(Ops::load(source)));
      }
    }
  }

  /// code * step / 4 + start for the codes at bits `shift` of each byte; `factor` is step << (6 -
  /// shift). The product of an even byte's code is rounded down to the upper byte of its pair, that
  /// of an odd byte's to the lower: this is why codes are stored swapped.
  template <int kShift>
  static Bytes int4_points(Bytes codes, Bytes factor, Bytes start) noexcept {
    const Bytes even = Ops::keep(codes, static_cast<uint16_t>(0x000f << kShift));
    const Bytes odd = Ops::keep(codes, static_cast<uint16_t>(0x0f00 << kShift));
    const Bytes steps = Ops::join(Ops::multiply_low(even, factor), Ops::multiply_high(odd, factor));
    return Ops::add(steps, start);
  }

  /// @param pair of blocks, of which this is block `own`
  template <typename Visit>
  static void visit_int4(const uint8_t* codes, const uint8_t* pair, int64_t own,
                         const Visit& visit) noexcept {
    fetch_blocks(pair);
#pragma GCC unroll 4
    for (int64_t vector = 0; vector < kVectors; ++vector) {
      const int64_t row = vector * Ops::kRows;
      const Bytes grid = Ops::replicate(pair + own * kPanelRows + row);
      const Bytes shared = Ops::replicate(pair + 2 * kPanelRows + row);
      const Bytes high = own == 0 ? Ops::template shift_left<4>(Ops::keep(shared, 0x0f0f))
                                  : Ops::keep(shared, 0xf0f0);
      const Bytes low = Ops::template shift_right<4>(Ops::keep(grid, 0xc0c0));
      const Bytes start = Ops::centred(Ops::combine(high, low));
      const Bytes step = Ops::template shift_left<2>(Ops::keep(grid, 0x003f));
      const Bytes step16 = Ops::template shift_left<4>(step);
#pragma GCC unroll 4
      for (int64_t word = 0; word < kUnitWords; word += 2) {
        fetch_codes(codes + (vector * kUnitWords / 2 + word / 2) * kVectorBytes);
        const Bytes raw = Ops::load(codes + word / 2 * kWordRow + vector * kVectorBytes);
        visit(word, vector, int4_points<0>(raw, step16, start));
        visit(word + 1, vector, int4_points<4>(raw, step, start));
      }
    }
  }

  /// Half a unit, whose first word is `word`.
  template <typename Visit>
  static void visit_int2(const uint8_t* codes, const uint8_t* block, int64_t word,
                         const Visit& visit) noexcept {
    fetch_blocks(block);
#pragma GCC unroll 4
    for (int64_t vector = 0; vector < kVectors; ++vector) {
      const Bytes grid = Ops::replicate(block + vector * Ops::kRows);
      const Bytes start = Ops::centred(Ops::template shift_right<1>(Ops::keep(grid, 0xf0f0)));
      const Bytes step = Ops::keep(grid, 0x000f);
      const Bytes step4 = Ops::template shift_left<2>(step);
      const uint8_t* const source = codes + vector * kVectorBytes;
      fetch_codes(source);
      Bytes raw = Ops::load(source);
#pragma GCC unroll 2
      for (int64_t i = 0; i < 4; i += 2) {
        const Bytes first = Ops::multiply_low(Ops::keep(raw, 0x0303), step4);
        const Bytes second = Ops::multiply_low(Ops::keep(raw, 0x0c0c), step);
        visit(word + i, vector, Ops::add(first, start));
        visit(word + i + 1, vector, Ops::add(second, start));
        raw = Ops::template shift_right<4>(raw);
      }
    }
  }
};

}  // namespace
}  // namespace aios
