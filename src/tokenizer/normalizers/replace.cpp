/// Replace and Prepend: text put in place of a pattern's matches, or before everything.
///
/// Source: `NormalizedString::replace` and `prepend` of Hugging Face's tokenizers.
#include <string>
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/regex.h"

namespace aios::tokenizer {
namespace {

class Replace final : public Normalizer {
 public:
  Replace(Regex pattern, std::string literal, std::string content)
      : pattern_(std::move(pattern)), literal_(std::move(literal)), content_(std::move(content)) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    return text.empty() || (!literal_.empty() && text.find(literal_) == std::string_view::npos);
  }

  void normalize(const AlignedView& input, AlignedText& output) const override {
    if (keeps(input.text())) return output.append(input);
    RegexScratch scratch;
    pattern_.for_each_section(input.text(), scratch, [&](Span span, bool is_match) {
      if (!is_match) return output.append(input.part(span));
      // New text comes from where the match ends.
      const Origin origin = span.end > 0 ? input.origin(span.end - 1) : input.origin(0) | kNoWidth;
      output.append(content_, origin);
    });
  }

 private:
  Regex pattern_;
  std::string literal_;  // empty: the pattern is an expression
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string content) : content_(std::move(content)) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    return text.empty() || content_.empty();
  }
  void normalize(const AlignedView& input, AlignedText& output) const override {
    if (!input.text().empty()) output.append(content_, input.origin(0));
    output.append(input);
  }

 private:
  std::string content_;
};

}  // namespace

std::unique_ptr<Normalizer> make_replace(const JsonNode& json, int) {
  const JsonNode pattern = json.at("pattern");
  const auto literal = pattern.find("String");
  return std::make_unique<Replace>(read_pattern(pattern), literal ? literal->as_string() : "",
                                   json.at("content").as_string());
}

std::unique_ptr<Normalizer> make_prepend(const JsonNode& json, int) {
  return std::make_unique<Prepend>(json.at("prepend").as_string());
}

}  // namespace aios::tokenizer
