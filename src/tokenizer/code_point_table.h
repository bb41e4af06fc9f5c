/// A value for every code point, in blocks of 256 of which equal ones are kept once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace aios::tokenizer {

inline constexpr char32_t kCodePoints = 0x110000;

template <typename T>
class CodePointTable {
 public:
  /// @param values one for each code point
  explicit CodePointTable(const std::vector<T>& values) {
    for (char32_t first = 0; first < kCodePoints; first += kBlock) add_block(&values[first], first);
  }

  [[nodiscard]] T operator[](char32_t code_point) const noexcept {
    return code_point < kCodePoints ? blocks_[index_[code_point / kBlock]][code_point % kBlock]
                                    : T{};
  }

 private:
  static constexpr char32_t kBlock = 256;
  using Block = std::array<T, kBlock>;

  void add_block(const T* values, char32_t first) {
    // Most blocks equal the one before them.
    if (first > 0 &&
        std::equal(values, values + kBlock, blocks_[index_[first / kBlock - 1]].begin())) {
      index_[first / kBlock] = index_[first / kBlock - 1];
      return;
    }
    Block block;
    std::copy_n(values, kBlock, block.begin());
    auto found = std::find(blocks_.begin(), blocks_.end(), block);
    if (found == blocks_.end()) found = blocks_.insert(found, block);
    index_[first / kBlock] = static_cast<uint16_t>(found - blocks_.begin());
  }

  std::array<uint16_t, kCodePoints / kBlock> index_{};
  std::vector<Block> blocks_;
};

}  // namespace aios::tokenizer
