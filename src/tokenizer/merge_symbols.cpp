#include "tokenizer/merge_symbols.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace aios::tokenizer {
namespace {

using Symbol = ModelScratch::Symbol;
using Candidate = ModelScratch::Candidate;

constexpr std::size_t kShortWord = 32;   // symbols
constexpr std::size_t kLongWord = 4096;  // looking through all ranks is worth it
constexpr uint32_t kNoRank = UINT32_MAX;

MergeTable::Merge merge_at(const MergeTable& merges, const std::vector<Symbol>& symbols,
                           std::size_t i) {
  const MergeTable::Merge* const merge =
      i + 1 < symbols.size() ? merges.find(symbols[i].id, symbols[i + 1].id) : nullptr;
  return merge != nullptr ? *merge : MergeTable::Merge{kNoRank, 0};
}

/// Looks at all pairs each time. Symbols that were merged are erased.
void merge_short(const MergeTable& merges, std::vector<Symbol>& symbols) {
  std::array<MergeTable::Merge, kShortWord> pairs;
  std::size_t count = symbols.size();
  for (std::size_t i = 0; i < count; ++i) pairs[i] = merge_at(merges, symbols, i);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].rank == kNoRank) break;
    symbols[best].id = pairs[best].merged;
    symbols[best].size += symbols[best + 1].size;
    const auto gone = static_cast<std::ptrdiff_t>(best + 1);
    symbols.erase(symbols.begin() + gone);
    std::copy(pairs.begin() + gone + 1, pairs.begin() + static_cast<std::ptrdiff_t>(count),
              pairs.begin() + gone);
    --count;
    pairs[best] = merge_at(merges, symbols, best);
    if (best > 0) pairs[best - 1] = merge_at(merges, symbols, best - 1);
  }
}

/// A word whose symbols are linked, so that a merge moves nothing.
class LinkedWord {
 public:
  LinkedWord(const MergeTable& merges, std::vector<Symbol>& symbols)
      : merges_(merges), symbols_(symbols) {}

  [[nodiscard]] const Symbol& at(int32_t position) const {
    return symbols_[static_cast<std::size_t>(position)];
  }
  /// Of the symbol at `position` with the next one; nullptr if there is none.
  [[nodiscard]] const MergeTable::Merge* find(int32_t position) const {
    const Symbol& left = at(position);
    if (left.size == 0 || left.next < 0) return nullptr;
    return merges_.find(left.id, at(left.next).id);
  }
  void merge(int32_t position, int32_t merged) {
    Symbol& left = symbols_[static_cast<std::size_t>(position)];
    Symbol& right = symbols_[static_cast<std::size_t>(left.next)];
    left.id = merged;
    left.size += right.size;
    left.next = right.next;
    right.size = 0;
    if (left.next >= 0) symbols_[static_cast<std::size_t>(left.next)].previous = position;
  }

 private:
  const MergeTable& merges_;
  std::vector<Symbol>& symbols_;
};

/// The heap's top has the lowest rank, then the lowest position.
bool comes_later(const Candidate& left, const Candidate& right) {
  return std::pair(left.rank, left.position) > std::pair(right.rank, right.position);
}

void merge_by_heap(const MergeTable& merges, ModelScratch& scratch) {
  LinkedWord word(merges, scratch.symbols);
  auto& heap = scratch.heap;
  heap.clear();
  const auto add = [&](int32_t position) {
    const MergeTable::Merge* const merge = word.find(position);
    if (merge == nullptr) return false;
    heap.push_back({merge->rank, static_cast<uint32_t>(position), merge->merged});
    return true;
  };
  const auto push = [&](int32_t position) {
    if (add(position)) std::push_heap(heap.begin(), heap.end(), comes_later);
  };
  for (std::size_t i = 0; i < scratch.symbols.size(); ++i) add(static_cast<int32_t>(i));
  std::make_heap(heap.begin(), heap.end(), comes_later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    const Candidate top = heap.back();
    heap.pop_back();
    const auto position = static_cast<int32_t>(top.position);
    // Either neighbour may have merged since the candidate was found.
    const MergeTable::Merge* const merge = word.find(position);
    if (merge == nullptr || merge->merged != top.merged) continue;
    word.merge(position, top.merged);
    if (const int32_t previous = word.at(position).previous; previous >= 0) push(previous);
    push(position);
  }
}

/// Rank by rank, which is the order of the heap if every merge leads to higher ranks only. Pairs of
/// one rank that differ in their two sides do not overlap, so that their order does not matter.
void merge_by_rank(const MergeTable& merges, ModelScratch& scratch) {
  struct Node {
    int32_t position;
    uint32_t next;
  };
  constexpr uint32_t kEnd = UINT32_MAX;
  LinkedWord word(merges, scratch.symbols);
  std::vector<uint32_t> lists(merges.num_ranks(), kEnd);
  std::vector<Node> nodes;
  nodes.reserve(scratch.symbols.size());
  const auto add = [&](int32_t position) {
    const MergeTable::Merge* const merge = word.find(position);
    if (merge == nullptr) return;
    nodes.push_back(
        {position, std::exchange(lists[merge->rank], static_cast<uint32_t>(nodes.size()))});
  };
  for (auto i = static_cast<int32_t>(scratch.symbols.size()) - 1; i >= 0; --i) add(i);
  std::vector<int32_t> positions;
  for (uint32_t rank = 0; rank < lists.size(); ++rank) {
    positions.clear();
    for (uint32_t node = lists[rank]; node != kEnd; node = nodes[node].next) {
      positions.push_back(nodes[node].position);
    }
    if (!std::is_sorted(positions.begin(), positions.end())) {
      std::reverse(positions.begin(), positions.end());  // most lists grew from left to right
      if (!std::is_sorted(positions.begin(), positions.end())) {
        std::sort(positions.begin(), positions.end());
      }
    }
    for (const int32_t position : positions) {
      const MergeTable::Merge* const merge = word.find(position);
      if (merge == nullptr || merge->rank != rank) continue;
      word.merge(position, merge->merged);
      if (const int32_t previous = word.at(position).previous; previous >= 0) add(previous);
      add(position);
    }
  }
}

}  // namespace

void merge_symbols(const MergeTable& merges, ModelScratch& scratch) {
  if (scratch.symbols.size() <= kShortWord) {
    merge_short(merges, scratch.symbols);
  } else if (scratch.symbols.size() < kLongWord || !merges.is_ordered()) {
    merge_by_heap(merges, scratch);
  } else {
    merge_by_rank(merges, scratch);
  }
}

}  // namespace aios::tokenizer
