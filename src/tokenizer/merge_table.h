/// BPE's merges: pair of ids → rank and merged id. Flat, open addressing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenizer/table_blocks.h"

namespace aios::tokenizer {

class MergeTable {
 public:
  static constexpr uint32_t kMaxRank = INT32_MAX;

  struct Merge {
    uint32_t rank;
    int32_t merged;
  };
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  /// nullptr if the pair does not merge.
  [[nodiscard]] const Merge* find(int32_t left, int32_t right) const noexcept {
    const Slot& slot = slots_[index(slots_, key(left, right))];
    return slot.key == kEmpty ? nullptr : &slot.merge;
  }

  /// All ranks are below it.
  [[nodiscard]] uint32_t num_ranks() const noexcept { return num_ranks_; }

  void save(BlockWriter& writer) const { writer.add(slots_.view()); }
  /// @throws FormatError if `find` might not end, or answer an id not below `id_bound`
  static MergeTable load(BlockReader& reader, int32_t id_bound) {
    MergeTable table;
    table.slots_ = reader.next<Slot>();
    bool has_empty = false;
    bool in_range = true;
    for (const Slot& slot : table.slots_.view()) {
      has_empty |= slot.key == kEmpty;
      in_range &=
          (slot.merge.merged >= 0) & (slot.merge.merged < id_bound) & (slot.merge.rank <= kMaxRank);
      table.num_ranks_ = std::max(table.num_ranks_, slot.merge.rank + 1);
    }
    BlockReader::require(has_empty && in_range && std::has_single_bit(table.slots_.size()));
    return table;
  }

 private:
  friend class MergeTableBuilder;
  MergeTable() = default;
  MergeTable(std::vector<Slot> slots, uint32_t num_ranks)
      : slots_(std::move(slots)), num_ranks_(num_ranks) {}

  static constexpr uint64_t kEmpty = UINT64_MAX;  // ids are not negative

  static uint64_t key(int32_t left, int32_t right) noexcept {
    return uint64_t{static_cast<uint32_t>(left)} << 32U | static_cast<uint32_t>(right);
  }
  static std::size_t home(std::size_t num_slots, uint64_t key) noexcept {
    const uint64_t hash = key * 0x9E3779B97F4A7C15U;
    return (hash ^ hash >> 32U) & (num_slots - 1);
  }
  /// Where `key` is, or would be. At most two thirds of the slots are taken.
  template <typename Slots>
  static std::size_t index(const Slots& slots, uint64_t key) noexcept {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = home(slots.size(), key);
    while (slots[at].key != key && slots[at].key != kEmpty) at = (at + 1) & mask;
    return at;
  }

  FlatArray<Slot> slots_;
  uint32_t num_ranks_ = 0;
};

class MergeTableBuilder {
 public:
  explicit MergeTableBuilder(std::size_t capacity)
      : slots_(std::bit_ceil(capacity + capacity / 2 + 1)) {}

  /// Asks for the memory that `insert` will need.
  void prefetch(int32_t left, int32_t right) const noexcept {
    __builtin_prefetch(&slots_[MergeTable::home(slots_.size(), MergeTable::key(left, right))], 1);
  }
  /// A pair that is there already takes the new rank, as in Hugging Face's map.
  void insert(int32_t left, int32_t right, MergeTable::Merge merge) {
    const uint64_t key = MergeTable::key(left, right);
    slots_[MergeTable::index(slots_, key)] = {key, merge};
    num_ranks_ = std::max(num_ranks_, merge.rank + 1);
  }
  [[nodiscard]] MergeTable finish() && { return {std::move(slots_), num_ranks_}; }

 private:
  std::vector<MergeTable::Slot> slots_;
  uint32_t num_ranks_ = 0;
};

}  // namespace aios::tokenizer
