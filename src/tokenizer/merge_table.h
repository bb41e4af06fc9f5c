/// BPE's merges: pair of ids → rank and merged id. Flat, open addressing.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace aios::tokenizer {

class MergeTable {
 public:
  struct Merge {
    uint32_t rank;
    int32_t merged;
  };

  explicit MergeTable(std::size_t capacity) : slots_(std::bit_ceil(capacity + capacity / 2 + 1)) {}

  /// A pair that is there already takes the new rank, as in Hugging Face's map.
  void insert(int32_t left, int32_t right, Merge merge) {
    Slot& slot = slots_[index(key(left, right))];
    slot = {key(left, right), merge};
  }
  /// Asks for the memory that `insert` will need.
  void prefetch(int32_t left, int32_t right) const noexcept {
    __builtin_prefetch(&slots_[home(key(left, right))], 1);
  }
  /// nullptr if the pair does not merge.
  [[nodiscard]] const Merge* find(int32_t left, int32_t right) const noexcept {
    const Slot& slot = slots_[index(key(left, right))];
    return slot.key == kEmpty ? nullptr : &slot.merge;
  }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;  // ids are not negative
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  static uint64_t key(int32_t left, int32_t right) noexcept {
    return uint64_t{static_cast<uint32_t>(left)} << 32U | static_cast<uint32_t>(right);
  }
  [[nodiscard]] std::size_t home(uint64_t key) const noexcept {
    const uint64_t hash = key * 0x9E3779B97F4A7C15U;
    return (hash ^ hash >> 32U) & (slots_.size() - 1);
  }
  /// Where `key` is, or would be. At most two thirds of the slots are taken.
  [[nodiscard]] std::size_t index(uint64_t key) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = home(key);
    while (slots_[at].key != key && slots_[at].key != kEmpty) at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots_;
};

}  // namespace aios::tokenizer
