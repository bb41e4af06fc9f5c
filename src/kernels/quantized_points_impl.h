/// Codes of a panel to points of the grid (tensor/quantized_matrix.h), on vectors.
#pragma once

#include <cstdint>

#include "tensor/quantized_matrix.h"

namespace aios {
namespace {

/// Eight-bit arithmetic of an instruction set; the contract stands in quantized_avx512.h.
template <typename Isa>
struct QuantizedOps;

/// Writes the points of kPanelRows rows, word by word of four steps along the depth.
template <typename Ops>
class PointDecoder {
  using Bytes = typename Ops::Bytes;
  static constexpr int64_t kWordRow = kPanelRows * kWordDepth;  // bytes of codes
  static constexpr int64_t kOutWordRow = kWordRow * Ops::kPointBytes;
  static constexpr int64_t kVectorBytes = Ops::kRows * kWordDepth;  // bytes of codes

 public:
  /// @param begin a multiple of 64 @param end a multiple of kDepthUnit
  static void decode(const QuantizedMatrix& weights, int64_t panel, int64_t begin, int64_t end,
                     uint8_t* out) noexcept {
    const uint8_t* const codes =
        weights.panel_codes(panel) + begin * kPanelRows * weights.format.bits() / 8;
    const uint8_t* const blocks = weights.panel_blocks(panel);
    switch (weights.format.type) {
      case QuantType::kInt4:
        return decode_int4(codes, blocks + begin / 64 * 3 * kPanelRows, end - begin, out);
      case QuantType::kInt2:
        return decode_int2(codes, blocks + begin / 16 * kPanelRows, end - begin, out);
      default:
        return copy_int8(codes, end - begin, out);
    }
  }

 private:
  /// Codes and blocks are fetched ahead of their decoding: products of a single row would leave the
  /// memory idle while they multiply what is decoded. Beyond the end there is nothing to fetch.
  static void fetch(const uint8_t* address) noexcept { __builtin_prefetch(address); }
  static constexpr int64_t kCodesAhead = 4096;
  static constexpr int64_t kBlocksAhead = 1024;

  static void store(uint8_t* out, int64_t word, int64_t offset, Bytes points) noexcept {
    Ops::store_points(out + word * kOutWordRow + offset * Ops::kPointBytes, points);
  }

  static void copy_int8(const uint8_t* codes, int64_t depth, uint8_t* out) noexcept {
    for (int64_t i = 0; i < depth * kPanelRows; i += kVectorBytes) {
      Ops::store_points(out + i * Ops::kPointBytes, Ops::load(codes + i));
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

  static void decode_int4(const uint8_t* codes, const uint8_t* blocks, int64_t depth,
                          uint8_t* out) noexcept {
    for (int64_t block = 0; block < depth / 32; ++block) {
      const uint8_t* const pair = blocks + block / 2 * 3 * kPanelRows;
      fetch(pair + kBlocksAhead);
      for (int64_t v = 0; v < kWordRow; v += kVectorBytes) {
        const int64_t row = v / kWordDepth;
        const Bytes own = Ops::replicate(pair + block % 2 * kPanelRows + row);
        const Bytes shared = Ops::replicate(pair + 2 * kPanelRows + row);
        const Bytes high = block % 2 == 0 ? Ops::template shift_left<4>(Ops::keep(shared, 0x0f0f))
                                          : Ops::keep(shared, 0xf0f0);
        const Bytes low = Ops::template shift_right<4>(Ops::keep(own, 0xc0c0));
        const Bytes start = Ops::combine(high, low);
        const Bytes step = Ops::template shift_left<2>(Ops::keep(own, 0x003f));
        const Bytes step16 = Ops::template shift_left<4>(step);
        for (int64_t i = 0; i < 4; ++i) {
          const int64_t word = block * 8 + 2 * i;
          const uint8_t* const source = codes + word / 2 * kWordRow + v;
          fetch(source + kCodesAhead);
          const Bytes raw = Ops::load(source);
          store(out, word, v, int4_points<0>(raw, step16, start));
          store(out, word + 1, v, int4_points<4>(raw, step, start));
        }
      }
    }
  }

  static void decode_int2(const uint8_t* codes, const uint8_t* blocks, int64_t depth,
                          uint8_t* out) noexcept {
    for (int64_t block = 0; block < depth / 16; ++block) {
      fetch(blocks + block * kPanelRows + kBlocksAhead);
      for (int64_t v = 0; v < kWordRow; v += kVectorBytes) {
        const Bytes grid = Ops::replicate(blocks + block * kPanelRows + v / kWordDepth);
        const Bytes start = Ops::template shift_right<1>(Ops::keep(grid, 0xf0f0));
        const Bytes step = Ops::keep(grid, 0x000f);
        const Bytes step4 = Ops::template shift_left<2>(step);
        const uint8_t* const source = codes + block * kWordRow + v;
        fetch(source + kCodesAhead);
        Bytes raw = Ops::load(source);
        for (int64_t i = 0; i < 4; i += 2) {
          const Bytes first = Ops::multiply_low(Ops::keep(raw, 0x0303), step4);
          const Bytes second = Ops::multiply_low(Ops::keep(raw, 0x0c0c), step);
          store(out, block * 4 + i, v, Ops::add(first, start));
          store(out, block * 4 + i + 1, v, Ops::add(second, start));
          raw = Ops::template shift_right<4>(raw);
        }
      }
    }
  }
};

}  // namespace
}  // namespace aios
