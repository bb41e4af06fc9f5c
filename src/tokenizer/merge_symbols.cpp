#include "tokenizer/merge_symbols.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace aios::tokenizer {
namespace {

using Symbol = ModelScratch::Symbol;
using Candidate = ModelScratch::Candidate;

constexpr std::size_t kShortWord = 32;                    // symbols
constexpr std::size_t kLongWord = std::size_t{1} << 16U;  // a list for each rank is worth it
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

/// Where pairs of each rank begin.
class RankLists {
 public:
  explicit RankLists(uint32_t num_ranks) : lists_(num_ranks) {}

  void add(uint32_t rank, int32_t position) { lists_[rank].push_back(position); }
  /// Takes the positions of `rank`, in order.
  std::vector<int32_t> take(uint32_t rank) {
    std::vector<int32_t> positions = std::move(lists_[rank]);
    lists_[rank] = {};
    if (!std::is_sorted(positions.begin(), positions.end())) {
      std::sort(positions.begin(), positions.end());
    }
    return positions;
  }

 private:
  std::vector<std::vector<int32_t>> lists_;
};

/// Rank by rank, which is the order of the heap if every merge leads to higher ranks only.
void merge_by_rank(const MergeTable& merges, std::vector<Symbol>& symbols) {
  constexpr std::size_t kAhead = 16;  // symbols of a list lie far from each other
  LinkedWord word(merges, symbols);
  RankLists lists(merges.num_ranks());
  const auto add = [&](int32_t position) {
    const MergeTable::Merge* const merge = word.find(position);
    if (merge != nullptr) lists.add(merge->rank, position);
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) add(static_cast<int32_t>(i));
  for (uint32_t rank = 0; rank < merges.num_ranks(); ++rank) {
    const std::vector<int32_t> positions = lists.take(rank);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      if (i + kAhead < positions.size()) __builtin_prefetch(&word.at(positions[i + kAhead]), 1);
      const int32_t position = positions[i];
      const MergeTable::Merge* const merge = word.find(position);
      if (merge == nullptr || merge->rank != rank) continue;  // a neighbour has merged
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
    merge_by_rank(merges, scratch.symbols);
  }
}

}  // namespace aios::tokenizer
