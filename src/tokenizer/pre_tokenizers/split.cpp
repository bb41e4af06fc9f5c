/// Split: cuts at the matches of a pattern, or between them.
///
/// Source: pre_tokenizers/split.rs of Hugging Face's tokenizers.
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/split_behavior.h"

namespace aios::tokenizer {
namespace {

class Split final : public PreTokenizer {
 public:
  Split(Regex regex, SplitBehavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  void split(WorkingText& text, RegexScratch& scratch) const override {
    split_sections(text, behavior_, [&](std::string_view part, auto visit) {
      regex_.for_each_section(part, scratch, [&](Span span, bool is_match) {
        visit(SplitSection{span, is_match != invert_});
      });
    });
  }

 private:
  Regex regex_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_split(const JsonNode& json, PreTokenizerScope) {
  Regex regex = read_pattern(json.at("pattern"));
  const SplitBehavior behavior = read_split_behavior(json.at("behavior"));
  return std::make_unique<Split>(std::move(regex), behavior, json.bool_or("invert", false));
}

}  // namespace aios::tokenizer
