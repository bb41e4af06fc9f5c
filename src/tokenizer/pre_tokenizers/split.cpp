/// Split: cuts at the matches of a pattern, or between them.
///
/// Source: pre_tokenizers/split.rs of Hugging Face's tokenizers.
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/split_behavior.h"
#include "tokenizer/split_pattern.h"

namespace aios::tokenizer {
namespace {

class Split final : public PreTokenizer {
 public:
  Split(SplitPattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void split(WorkingText& text, RegexScratch& scratch) const override {
    split_sections(text, behavior_, [&](std::string_view part, auto visit) {
      pattern_.for_each_section(part, scratch, [&](Span span, bool is_match) {
        visit(SplitSection{span, is_match != invert_});
      });
    });
  }

 private:
  SplitPattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_split(const JsonNode& json, PreTokenizerScope) {
  SplitPattern pattern = read_split_pattern(json.at("pattern"));
  const SplitBehavior behavior = read_split_behavior(json.at("behavior"));
  return std::make_unique<Split>(std::move(pattern), behavior, json.bool_or("invert", false));
}

}  // namespace aios::tokenizer
