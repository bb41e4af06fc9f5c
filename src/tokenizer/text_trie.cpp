#include "tokenizer/text_trie.h"

namespace aios::tokenizer {

uint32_t TextTrie::child(uint32_t node, char byte) const noexcept {
  uint32_t at = nodes_[node].first_child;
  while (at != 0 && nodes_[at].byte != byte) at = nodes_[at].next_sibling;
  return at;
}

bool TextTrie::insert(std::string_view text, int32_t value) {
  uint32_t node = 0;
  for (const char byte : text) {
    uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({kNone, 0, nodes_[node].first_child, byte});
      nodes_[node].first_child = next;
    }
    node = next;
  }
  begins_[static_cast<unsigned char>(text.front())] = true;
  if (nodes_[node].value != kNone) return false;
  nodes_[node].value = value;
  return true;
}

TextTrie::Match TextTrie::find(std::string_view text, std::size_t from) const noexcept {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!begins_[static_cast<unsigned char>(text[begin])]) continue;
    Match match{begin, begin, kNone};
    uint32_t node = 0;
    for (std::size_t at = begin; at < text.size(); ++at) {
      node = child(node, text[at]);
      if (node == 0) break;
      if (nodes_[node].value != kNone) match = {begin, at + 1, nodes_[node].value};
    }
    if (match.value != kNone) return match;
  }
  return {text.size(), text.size(), kNone};
}

}  // namespace aios::tokenizer
