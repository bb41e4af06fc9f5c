#include "tokenizer/formats/piece_merges.h"

#include <string>

#include "tokenizer/prefix_trie.h"

namespace aios::tokenizer {
namespace {

/// For each length, the piece that `text` begins with; kNone if there is none.
void find_prefixes(const PrefixTrie& trie, std::string_view text, std::vector<int32_t>& pieces) {
  pieces.assign(text.size() + 1, PrefixTrie::kNone);
  uint32_t node = PrefixTrie::kRoot;
  for (std::size_t at = 0; at < text.size() && trie.step(node, text[at]); ++at) {
    pieces[at + 1] = trie.value(node);
  }
}

}  // namespace

std::vector<PieceMerge> list_merges(std::span<const RankedPiece> pieces) {
  std::vector<std::string> reversed;
  std::vector<PrefixTrie::Entry> forward_entries, backward_entries;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    reversed.emplace_back(pieces[i].text.rbegin(), pieces[i].text.rend());
    forward_entries.push_back({pieces[i].text, static_cast<int32_t>(i)});
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    backward_entries.push_back({reversed[i], static_cast<int32_t>(i)});
  }
  const PrefixTrie forward(std::move(forward_entries));
  const PrefixTrie backward(std::move(backward_entries));
  std::vector<PieceMerge> merges;
  std::vector<int32_t> prefixes, suffixes;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::size_t size = pieces[i].text.size();
    find_prefixes(forward, pieces[i].text, prefixes);
    find_prefixes(backward, reversed[i], suffixes);
    for (std::size_t cut = 1; cut < size; ++cut) {
      const int32_t left = prefixes[cut];
      const int32_t right = suffixes[size - cut];
      if (left == PrefixTrie::kNone || right == PrefixTrie::kNone) continue;
      merges.push_back(
          {static_cast<std::size_t>(left), static_cast<std::size_t>(right), pieces[i].rank});
    }
  }
  return merges;
}

}  // namespace aios::tokenizer
