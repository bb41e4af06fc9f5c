/// Split: cuts at the matches of a pattern, or between them.
///
/// Source: pre_tokenizers/split.rs and `NormalizedString::split` of Hugging Face's tokenizers.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"

namespace aios::tokenizer {
namespace {

/// What becomes of the matches ("delimiters"): "the-final--countdown" at "-" gives
enum class Behavior {
  kRemoved,             ///< the final countdown
  kIsolated,            ///< the - final - - countdown
  kMergedWithPrevious,  ///< the- final- - countdown
  kMergedWithNext,      ///< the -final - -countdown
  kContiguous,          ///< the - final -- countdown
};

struct Section {
  Span span;
  bool is_match;
};

class Split final : public PreTokenizer {
 public:
  Split(Regex regex, Behavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  void split(WorkingText& text, RegexScratch& scratch) const override {
    if (behavior_ == Behavior::kIsolated || behavior_ == Behavior::kRemoved) {
      const bool keep_matches = behavior_ == Behavior::kIsolated;
      text.split([&](std::string_view part, auto emit) {
        for_each_section(part, scratch, [&](const Section& section) {
          if (keep_matches || !section.is_match) emit(Piece{section.span});
        });
      });
      return;
    }
    std::vector<Section> sections;
    text.split([&](std::string_view part, auto emit) {
      sections.clear();
      for_each_section(part, scratch, [&](const Section& section) { sections.push_back(section); });
      merge(sections);
      for (const Section& section : sections) emit(Piece{section.span});
    });
  }

 private:
  template <typename Visit>
  void for_each_section(std::string_view part, RegexScratch& scratch, Visit visit) const {
    regex_.for_each_section(part, scratch, [&](Span span, bool is_match) {
      visit(Section{span, is_match != invert_});
    });
  }

  void merge(std::vector<Section>& sections) const {
    if (behavior_ == Behavior::kMergedWithNext) {
      std::reverse(sections.begin(), sections.end());
      merge_matches(sections);
      std::reverse(sections.begin(), sections.end());
    } else {
      merge_matches(sections);
    }
  }

  /// Joins a section to the one before it: a match to what is not one, or (contiguous) equal kinds.
  void merge_matches(std::vector<Section>& sections) const {
    std::size_t kept = 0;
    bool previous_match = false;
    for (const Section section : sections) {
      const bool joins = behavior_ == Behavior::kContiguous ? section.is_match == previous_match
                                                            : section.is_match && !previous_match;
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

  Regex regex_;
  Behavior behavior_;
  bool invert_;
};

Regex read_pattern(const JsonNode& json) {
  if (const auto text = json.find("String")) return Regex::literal(text->as_string());
  try {
    return Regex(json.at("Regex").as_string());
  } catch (const FormatError& error) {
    json.fail(error.what());
  }
}

Behavior read_behavior(const JsonNode& json) {
  constexpr std::array<std::pair<std::string_view, Behavior>, 5> kNames = {{
      {"Removed", Behavior::kRemoved},
      {"Isolated", Behavior::kIsolated},
      {"MergedWithPrevious", Behavior::kMergedWithPrevious},
      {"MergedWithNext", Behavior::kMergedWithNext},
      {"Contiguous", Behavior::kContiguous},
  }};
  const std::string& wanted = json.as_string();
  for (const auto& [name, behavior] : kNames) {
    if (name == wanted) return behavior;
  }
  json.fail("behavior " + quote(wanted) +
            " is not supported; supported are Removed, Isolated, MergedWithPrevious, "
            "MergedWithNext, Contiguous");
}

}  // namespace

std::unique_ptr<PreTokenizer> make_split(const JsonNode& json, int) {
  Regex regex = read_pattern(json.at("pattern"));
  const Behavior behavior = read_behavior(json.at("behavior"));
  return std::make_unique<Split>(std::move(regex), behavior, json.bool_or("invert", false));
}

}  // namespace aios::tokenizer
