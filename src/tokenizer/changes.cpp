#include "tokenizer/changes.h"

#include <algorithm>

namespace aios::tokenizer {

/// The first part of `text` at `from` or later that may change: with one inert byte on either side,
/// where there is one, and without a gap of more than a few.
Span ChangingNormalizer::find_part(std::string_view text, std::size_t from) const noexcept {
  constexpr std::size_t kSmallestGap = 8;  // at least 2: parts must not share a neighbour
  const std::size_t first = skip_inert(text, from);
  const std::size_t begin = first > from && first < text.size() ? first - 1 : first;
  std::size_t end = first;
  while (end < text.size()) {
    while (end < text.size() && !is_inert(text[end])) ++end;
    const std::size_t gap_end = skip_inert(text, end);
    if (gap_end == text.size() || gap_end - end >= kSmallestGap) {
      end = std::min(end + 1, text.size());
      break;
    }
    end = gap_end;
  }
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
}

void ChangingNormalizer::normalize(const AlignedView& input, AlignedText& output) const {
  const std::string_view text = input.text();
  const auto size = static_cast<uint32_t>(text.size());
  if (keeps(text)) return output.append(input);
  std::vector<Change> changes;
  // What was inserted before the first original character makes the source lose count (see
  // `append_transformed`), for the whole text.
  const bool is_whole = size > 0 && (input.origin(0) & kNoWidth) != 0;
  for (uint32_t at = 0; at < size;) {
    const Span part = is_whole ? Span{0, size} : find_part(text, at);
    output.append(input.part({at, part.begin}));
    at = part.end;
    const AlignedView old = input.part(part);
    if (keeps(old.text())) {
      output.append(old);
      continue;
    }
    changes.clear();
    const std::size_t dropped = change(old.text(), changes);
    output.append_transformed(old, changes, dropped);
  }
}

}  // namespace aios::tokenizer
