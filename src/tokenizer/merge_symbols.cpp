#include "tokenizer/merge_symbols.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <span>

namespace aios::tokenizer {
namespace {

using Symbol = ModelScratch::Symbol;
using Neighbours = ModelScratch::Neighbours;

constexpr std::size_t kScanned = 64;    // symbols; with more of them, a heap is worth it
constexpr std::size_t kTailTokens = 2;  // of a window, which may still change
constexpr uint32_t kScannedRanks = INT32_MAX / kScanned;

void take_in(Symbol& left, Symbol& right, int32_t merged) {
  left = {merged, left.size + right.size};
  right.size = 0;
}

/// Looks at all pairs each time. Symbols that were merged into others get the size 0.
void merge_by_scan(const MergeTable& merges, std::span<Symbol> word) {
  constexpr int32_t kNoMerge = INT32_MAX;
  const std::size_t size = word.size();
  // Of a symbol with the next one: the rank, and in the lower bits the place.
  std::array<int32_t, kScanned> keys;
  std::array<int32_t, kScanned> merged;
  std::array<uint8_t, kScanned> previous, next;
  const auto look_up = [&](std::size_t left) {
    const std::size_t right = next[left];
    const MergeTable::Merge* const merge =
        right < size ? merges.find(word[left].id, word[right].id) : nullptr;
    keys[left] = merge != nullptr ? static_cast<int32_t>(merge->rank * kScanned + left) : kNoMerge;
    merged[left] = merge != nullptr ? merge->merged : 0;
  };
  for (std::size_t i = 0; i < size; ++i) {
    previous[i] = static_cast<uint8_t>(i - 1);
    next[i] = static_cast<uint8_t>(i + 1);
    look_up(i);
  }
  while (true) {
    int32_t lowest = kNoMerge;
    for (std::size_t i = 0; i < size; ++i) lowest = std::min(lowest, keys[i]);
    if (lowest == kNoMerge) return;
    const std::size_t left = static_cast<std::size_t>(lowest) % kScanned;
    const std::size_t right = next[left];
    take_in(word[left], word[right], merged[left]);
    keys[right] = kNoMerge;
    next[left] = next[right];
    if (next[left] < size) previous[next[left]] = static_cast<uint8_t>(left);
    look_up(left);
    if (left > 0) look_up(previous[left]);
  }
}

/// The same with all pairs in a heap: rank in the upper half, place in the lower.
void merge_by_heap(const MergeTable& merges, std::span<Symbol> word, ModelScratch& scratch) {
  const auto size = static_cast<uint32_t>(word.size());
  std::vector<Neighbours>& neighbours = scratch.neighbours;
  std::vector<uint64_t>& heap = scratch.heap;
  neighbours.resize(size);
  heap.clear();
  const auto find = [&](uint32_t left) -> const MergeTable::Merge* {
    const uint32_t right = neighbours[left].next;
    return right < size ? merges.find(word[left].id, word[right].id) : nullptr;
  };
  const auto add = [&](uint32_t left) {
    const MergeTable::Merge* const merge = find(left);
    if (merge != nullptr) heap.push_back(uint64_t{merge->rank} << 32U | left);
    return merge != nullptr;
  };
  const auto push = [&](uint32_t left) {
    if (add(left)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (uint32_t i = 0; i < size; ++i) neighbours[i] = {i - 1, i + 1};
  for (uint32_t i = 0; i < size; ++i) add(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t top = heap.back();
    heap.pop_back();
    const auto left = static_cast<uint32_t>(top);
    if (word[left].size == 0) continue;
    // Either neighbour may have merged since the pair was found.
    const MergeTable::Merge* const merge = find(left);
    if (merge == nullptr || merge->rank != top >> 32U) continue;
    const uint32_t right = neighbours[left].next;
    take_in(word[left], word[right], merge->merged);
    neighbours[left].next = neighbours[right].next;
    if (neighbours[left].next < size) neighbours[neighbours[left].next].previous = left;
    if (left > 0) push(neighbours[left].previous);
    push(left);
  }
}

void merge_all(const MergeTable& merges, std::vector<Symbol>& word, ModelScratch& scratch) {
  if (word.size() <= kScanned && merges.num_ranks() <= kScannedRanks) {
    merge_by_scan(merges, word);
  } else {
    merge_by_heap(merges, word, scratch);
  }
  std::erase_if(word, [](const Symbol& symbol) { return symbol.size == 0; });
}

void append_tokens(std::span<const Symbol> symbols, uint32_t begin,
                   std::vector<WordToken>& tokens) {
  for (const Symbol& symbol : symbols) {
    tokens.push_back({symbol.id, begin, begin + symbol.size});
    begin += symbol.size;
  }
}

/// How many of the last of `symbols` make up `size` bytes.
std::size_t count_last(std::span<const Symbol> symbols, uint32_t size) {
  std::size_t count = 0;
  while (size > 0) size -= symbols[symbols.size() - ++count].size;
  return count;
}

class LongWord {
 public:
  LongWord(const MergeTable& merges, ModelScratch& scratch, std::vector<WordToken>& tokens)
      : merges_(merges), scratch_(scratch), word_(scratch.symbols), tokens_(tokens) {
    cut_.num_tokens = previous_.num_tokens = tokens.size();
  }

  /// False, with no token added, if what a cut depends on lies too far behind it.
  bool merge() {
    const std::size_t num_tokens = cut_.num_tokens;
    while (cut_.place < word_.size()) {
      merge_window();
      if (!cut_holds()) {
        if (cut_.place <= previous_.place) {
          tokens_.resize(num_tokens);
          return false;
        }
        window_ = 2 * (cut_.place + window_ - previous_.place);
        cut_ = previous_;
        tokens_.resize(cut_.num_tokens);
      } else if (!take_window()) {
        window_ *= 2;
      }
    }
    return true;
  }

 private:
  /// Before the symbol `place`; the token before it begins with the symbol `last`.
  struct Cut {
    std::size_t place = 0, last = 0, num_tokens = 0;
  };

  [[nodiscard]] std::span<const Symbol> rest() const {
    return std::span(word_).subspan(cut_.place);
  }
  [[nodiscard]] uint32_t begin() const { return cut_.place == 0 ? 0 : tokens_.back().end; }

  void merge_window() {
    const auto part = rest().first(std::min(window_, rest().size()));
    // Text that repeats itself, such as a line of dashes, is merged once.
    if (std::equal(part.begin(), part.end(), merged_.begin(), merged_.end())) return;
    merged_ = part;
    scratch_.window.assign(part.begin(), part.end());
    merge_all(merges_, scratch_.window, scratch_);
  }

  /// Whether the tokens on both sides of the cut stay what they are when merged together.
  [[nodiscard]] bool cut_holds() const {
    if (cut_.place == 0) return true;
    const Symbol first = scratch_.window.front();
    std::size_t end = cut_.place;
    for (uint32_t size = first.size; size > 0; ++end) size -= word_[end].size;
    std::vector<Symbol>& both = scratch_.both;
    both.assign(word_.begin() + static_cast<std::ptrdiff_t>(cut_.last),
                word_.begin() + static_cast<std::ptrdiff_t>(end));
    merge_all(merges_, both, scratch_);
    return both.size() == 2 && both[0].id == tokens_.back().id && both[1].id == first.id &&
           both[1].size == first.size;
  }

  /// Takes the window's tokens but the last ones; false if those are too large a part of it.
  bool take_window() {
    if (rest().size() <= window_) {
      append_tokens(scratch_.window, begin(), tokens_);
      cut_.place = word_.size();
      return true;
    }
    const std::span<const Symbol> merged(scratch_.window);
    if (merged.size() <= kTailTokens) return false;
    uint32_t tail_size = 0;
    for (const Symbol& symbol : merged.last(kTailTokens)) tail_size += symbol.size;
    const auto part = rest().first(window_);
    const std::size_t tail = count_last(part, tail_size);
    if (4 * tail > window_) return false;
    const auto taken = merged.first(merged.size() - kTailTokens);
    const std::size_t place = cut_.place + window_ - tail;
    const std::size_t last = place - count_last(part.first(window_ - tail), taken.back().size);
    append_tokens(taken, begin(), tokens_);
    previous_ = cut_;
    cut_ = {place, last, tokens_.size()};
    if (window_ > kScanned && 16 * tail < window_) window_ /= 2;
    return true;
  }

  const MergeTable& merges_;
  ModelScratch& scratch_;
  const std::vector<Symbol>& word_;
  std::vector<WordToken>& tokens_;
  Cut cut_, previous_;
  std::span<const Symbol> merged_;  // what was merged into `scratch_.window`
  std::size_t window_ = kScanned;
};

}  // namespace

void merge_symbols(const MergeTable& merges, ModelScratch& scratch,
                   std::vector<WordToken>& tokens) {
  if (scratch.symbols.size() > kScanned && LongWord(merges, scratch, tokens).merge()) return;
  merge_all(merges, scratch.symbols, scratch);
  append_tokens(scratch.symbols, 0, tokens);
}

}  // namespace aios::tokenizer
