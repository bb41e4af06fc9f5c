#include "tokenizer/split_behavior.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

/// Joins a section to the one before it: a match to what is not one, or (contiguous) equal kinds.
void merge_backwards(std::vector<SplitSection>& sections, bool contiguous) {
  std::size_t kept = 0;
  bool previous_match = false;
  for (const SplitSection section : sections) {
    const bool joins =
        contiguous ? section.is_match == previous_match : section.is_match && !previous_match;
    if (joins && kept > 0) {
      Span& span = sections[kept - 1].span;
      span = {std::min(span.begin, section.span.begin), std::max(span.end, section.span.end)};
    } else {
      sections[kept++] = section;
    }
    previous_match = section.is_match;
  }
  sections.resize(kept);
}

}  // namespace

SplitBehavior read_split_behavior(const JsonNode& json) {
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  const std::string& wanted = json.as_string();
  for (const auto& [name, behavior] : kNames) {
    if (name == wanted) return behavior;
  }
  json.fail("behavior " + quote(wanted) +
            " is not supported; supported are Removed, Isolated, MergedWithPrevious, "
            "MergedWithNext, Contiguous");
}

void merge_sections(std::vector<SplitSection>& sections, SplitBehavior behavior) {
  if (behavior != SplitBehavior::kMergedWithNext) {
    return merge_backwards(sections, behavior == SplitBehavior::kContiguous);
  }
  std::reverse(sections.begin(), sections.end());
  merge_backwards(sections, false);
  std::reverse(sections.begin(), sections.end());
}

}  // namespace aios::tokenizer
