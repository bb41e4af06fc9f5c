/// A static set of byte strings, walked byte by byte: a double array (Aoe 1989).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/table_blocks.h"

namespace aios::tokenizer {

class PrefixTrie {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr uint32_t kRoot = 0;

  struct Entry {
    std::string_view text;  // may be empty
    int32_t value;
  };

  /// Of equal texts the last one counts.
  explicit PrefixTrie(std::vector<Entry> entries);
  PrefixTrie() : PrefixTrie(std::vector<Entry>{}) {}

  /// Walks from `node` along `byte`; false if no string goes there.
  [[nodiscard]] bool step(uint32_t& node, char byte) const noexcept {
    const uint32_t child = units_[node].base + static_cast<unsigned char>(byte);
    if (child >= units_.size() || units_[child].parent != node) return false;
    node = child;
    return true;
  }
  /// Of the string that ends at `node`; `kNone` if none does.
  [[nodiscard]] int32_t value(uint32_t node) const noexcept { return units_[node].value; }

  void save(BlockWriter& writer) const { writer.add(units_.view()); }
  /// @throws FormatError if a value is not below `bound`
  static PrefixTrie load(BlockReader& reader, int32_t bound);

 private:
  friend class PrefixTrieBuilder;
  static constexpr uint32_t kFree = UINT32_MAX;
  struct Unit {
    uint32_t base = 0;
    uint32_t parent = kFree;
    int32_t value = kNone;
  };

  FlatArray<Unit> units_;
};

}  // namespace aios::tokenizer
