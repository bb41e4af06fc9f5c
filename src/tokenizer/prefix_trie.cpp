#include "tokenizer/prefix_trie.h"

#include <algorithm>

namespace aios::tokenizer {

class PrefixTrieBuilder {
 public:
  explicit PrefixTrieBuilder(std::vector<PrefixTrie::Entry> entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& left, const auto& right) { return left.text < right.text; });
    units_[PrefixTrie::kRoot].parent = PrefixTrie::kRoot;
    std::vector<Range> stack = {{0, entries.size(), 0, PrefixTrie::kRoot}};
    while (!stack.empty()) {
      const Range range = stack.back();
      stack.pop_back();
      add_children(entries, range, stack);
    }
    units_.shrink_to_fit();
  }
  [[nodiscard]] std::vector<PrefixTrie::Unit> finish() && { return std::move(units_); }

 private:
  static constexpr uint32_t kFree = PrefixTrie::kFree;
  struct Range {
    std::size_t begin, end, depth;  // entries that share `depth` bytes
    uint32_t node;
  };

  void add_children(std::span<const PrefixTrie::Entry> entries, const Range& range,
                    std::vector<Range>& stack);
  uint32_t find_base(std::span<const unsigned char> labels);

  std::vector<PrefixTrie::Unit> units_ = std::vector<PrefixTrie::Unit>(1);
  std::size_t first_free_ = 1;  // no free unit lies before it
};

void PrefixTrieBuilder::add_children(std::span<const PrefixTrie::Entry> entries, const Range& range,
                                     std::vector<Range>& stack) {
  std::size_t at = range.begin;
  for (; at < range.end && entries[at].text.size() == range.depth; ++at) {
    units_[range.node].value = entries[at].value;
  }
  std::vector<unsigned char> labels;
  const std::size_t first_child = stack.size();
  while (at < range.end) {
    const char label = entries[at].text[range.depth];
    const std::size_t begin = at;
    while (at < range.end && entries[at].text[range.depth] == label) ++at;
    labels.push_back(static_cast<unsigned char>(label));
    stack.push_back({begin, at, range.depth + 1, 0});
  }
  if (labels.empty()) return;
  const uint32_t base = find_base(labels);
  units_[range.node].base = base;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const uint32_t child = base + labels[i];
    units_[child].parent = range.node;
    stack[first_child + i].node = child;
  }
  while (first_free_ < units_.size() && units_[first_free_].parent != kFree) ++first_free_;
}

/// The first place where all children fit. The search begins further on where the front is nearly
/// full, or it would take quadratic time.
uint32_t PrefixTrieBuilder::find_base(std::span<const unsigned char> labels) {
  const std::size_t low = *std::min_element(labels.begin(), labels.end());
  std::size_t num_tried = 0;
  std::size_t at = std::max(first_free_, low + 1);
  const std::size_t start = at;
  for (;; ++at) {
    const std::size_t base = at - low;
    if (units_.size() < base + 256) units_.resize(base + 256);
    if (units_[at].parent != kFree) continue;
    ++num_tried;
    const bool fits = std::all_of(labels.begin(), labels.end(), [&](unsigned char label) {
      return units_[base + label].parent == kFree;
    });
    if (!fits) continue;
    if (num_tried > 64) first_free_ = std::max(first_free_, start + (at - start) / 2);
    return static_cast<uint32_t>(base);
  }
}

PrefixTrie::PrefixTrie(std::vector<Entry> entries)
    : units_(PrefixTrieBuilder(std::move(entries)).finish()) {}

PrefixTrie PrefixTrie::load(BlockReader& reader, int32_t bound) {
  PrefixTrie trie;
  trie.units_ = reader.next<Unit>();
  const auto units = trie.units_.view();
  BlockReader::require(!units.empty() &&
                       std::all_of(units.begin(), units.end(), [=](const Unit& unit) {
                         return unit.value >= kNone && unit.value < bound;
                       }));
  return trie;
}

}  // namespace aios::tokenizer
