#include "tokenizer/truncation.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "aios/error.h"

namespace aios::tokenizer {
namespace {

struct TokenRange {
  std::size_t begin, end;
};

/// The first range is what stays, the others are windows of what is lost; neighbours share `stride`
/// tokens.
std::vector<TokenRange> windows_of(std::size_t size, std::size_t length, std::size_t stride,
                                   bool from_end) {
  std::vector<TokenRange> ranges;
  const std::size_t step = length - stride;
  for (std::size_t offset = 0;; offset += step) {
    const std::size_t reached = std::min(offset + length, size);
    ranges.push_back(from_end ? TokenRange{size - reached, size - offset}
                              : TokenRange{offset, reached});
    if (reached == size) return ranges;
  }
}

template <typename T>
std::vector<T> part_of(const std::vector<T>& values, TokenRange range) {
  if (values.empty()) return {};  // margins that nobody asked for
  return {values.begin() + static_cast<std::ptrdiff_t>(range.begin),
          values.begin() + static_cast<std::ptrdiff_t>(range.end)};
}

Section part_of(const Section& section, TokenRange range) {
  Section part;
  part.text = section.text;
  part.encoding.ids = part_of(section.encoding.ids, range);
  part.encoding.offsets = part_of(section.encoding.offsets, range);
  part.encoding.word_ids = part_of(section.encoding.word_ids, range);
  part.margins = part_of(section.margins, range);
  part.encoding.truncated = true;
  return part;
}

void truncate_section(Section& section, std::size_t length, const Truncation& truncation) {
  const std::size_t size = section.encoding.ids.size();
  if (size <= length) return;
  std::vector<TokenRange> ranges = {truncation.keep_last ? TokenRange{size - length, size}
                                                         : TokenRange{0, length}};
  if (truncation.keep_windows && length == 0) ranges.push_back({0, size});
  if (truncation.keep_windows && length > 0) {
    if (truncation.stride >= length) {
      throw ConfigError("stride " + std::to_string(truncation.stride) +
                        " must be below the length of a window, " + std::to_string(length));
    }
    ranges = windows_of(size, length, truncation.stride, truncation.keep_last);
  }
  Section kept = part_of(section, ranges[0]);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    kept.windows.push_back(part_of(section, ranges[i]));
  }
  section = std::move(kept);
}

/// How many tokens of two texts stay when `limit` may: the longer one gives first.
std::array<std::size_t, 2> share_length(std::size_t first, std::size_t second, std::size_t limit) {
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > limit ? shorter : std::max(shorter, limit - shorter);
  if (shorter + longer > limit) {
    shorter = limit / 2;
    longer = shorter + limit % 2;
  }
  return first > second ? std::array{longer, shorter} : std::array{shorter, longer};
}

/// All that is too much comes off the section at `index`.
void truncate_only(std::vector<Section>& sections, std::size_t index, std::size_t excess,
                   const Truncation& truncation) {
  const std::string which = index == 0 ? "first" : "second";
  if (index >= sections.size()) {
    throw ConfigError("truncation of only the second text needs a pair");
  }
  const std::size_t size = sections[index].encoding.ids.size();
  if (size <= excess) {
    throw ConfigError("the " + which + " text has " + std::to_string(size) + " tokens, and " +
                      std::to_string(excess) +
                      " are too many; raise max_length or truncate the longest first");
  }
  truncate_section(sections[index], size - excess, truncation);
}

}  // namespace

void truncate(std::vector<Section>& sections, const Truncation& truncation) {
  std::size_t total = 0;
  for (const Section& section : sections) total += section.encoding.ids.size();
  const std::size_t limit = truncation.max_length;
  if (total <= limit) return;
  if (limit == 0) {
    for (Section& section : sections) truncate_section(section, 0, truncation);
  } else if (truncation.strategy == TruncationStrategy::kOnlyFirst) {
    truncate_only(sections, 0, total - limit, truncation);
  } else if (truncation.strategy == TruncationStrategy::kOnlySecond) {
    truncate_only(sections, 1, total - limit, truncation);
  } else if (sections.size() == 1) {
    truncate_section(sections[0], limit, truncation);
  } else {
    const auto keep =
        share_length(sections[0].encoding.ids.size(), sections[1].encoding.ids.size(), limit);
    truncate_section(sections[0], keep[0], truncation);
    truncate_section(sections[1], keep[1], truncation);
  }
}

}  // namespace aios::tokenizer
