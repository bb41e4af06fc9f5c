/// What becomes of the matches of a pattern that splits a text.
///
/// Source: `NormalizedString::split` of Hugging Face's tokenizers.
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/aligned_text.h"
#include "tokenizer/utf8.h"
#include "tokenizer/working_text.h"

namespace aios::tokenizer {

class JsonNode;

/// What becomes of the matches ("delimiters"): "the-final--countdown" at "-" gives
enum class SplitBehavior {
  kRemoved,             ///< the final countdown
  kIsolated,            ///< the - final - - countdown
  kMergedWithPrevious,  ///< the- final- - countdown
  kMergedWithNext,      ///< the -final - -countdown
  kContiguous,          ///< the - final -- countdown
};

/// @throws FormatError naming the known ones
[[nodiscard]] SplitBehavior read_split_behavior(const JsonNode& json);

struct SplitSection {
  Span span;
  bool is_match;
};

/// Joins sections as `behavior` wants (one of those that merge).
void merge_sections(std::vector<SplitSection>& sections, SplitBehavior behavior);

/// Cuts every piece: `for_each_section(text, visit)` calls `visit(SplitSection)` in order, so that
/// the whole piece is covered.
template <typename ForEachSection>
void split_sections(WorkingText& text, SplitBehavior behavior, ForEachSection for_each_section) {
  if (behavior == SplitBehavior::kIsolated || behavior == SplitBehavior::kRemoved) {
    const bool keep_matches = behavior == SplitBehavior::kIsolated;
    text.split([&](std::string_view part, auto emit) {
      for_each_section(part, [&](const SplitSection& section) {
        if (keep_matches || !section.is_match) emit(Piece{section.span});
      });
    });
    return;
  }
  std::vector<SplitSection> sections;
  text.split([&](std::string_view part, auto emit) {
    sections.clear();
    for_each_section(part, [&](const SplitSection& section) { sections.push_back(section); });
    merge_sections(sections, behavior);
    for (const SplitSection& section : sections) emit(Piece{section.span});
  });
}

/// Sections of a text in which each character that `matches` accepts is a match of its own.
template <typename Matches, typename Visit>
void for_each_character_section(std::string_view text, Matches matches, Visit visit) {
  uint32_t covered = 0;
  for (uint32_t at = 0; at < text.size();) {
    const Character character = decode_utf8(text.data() + at);
    const uint32_t next = at + character.size;
    if (matches(character.code_point)) {
      if (covered < at) visit(SplitSection{{covered, at}, false});
      visit(SplitSection{{at, next}, true});
      covered = next;
    }
    at = next;
  }
  const auto size = static_cast<uint32_t>(text.size());
  if (covered < size) visit(SplitSection{{covered, size}, false});
}

}  // namespace aios::tokenizer
