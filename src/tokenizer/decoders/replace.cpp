/// Replace: matches of a pattern in each token become another text.
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"
#include "tokenizer/regex.h"

namespace aios::tokenizer {
namespace {

class ReplaceRun final : public DecoderRun {
 public:
  ReplaceRun(const Regex& pattern, std::string_view content, DecoderRun& next)
      : pattern_(pattern), content_(content), next_(next) {}

  void push(std::string_view token) override {
    text_.clear();
    pattern_.for_each_section(token, scratch_, [&](Span span, bool is_match) {
      text_ += is_match ? content_ : token.substr(span.begin, span.end - span.begin);
    });
    next_.push(text_);
  }
  void finish() override { next_.finish(); }

 private:
  const Regex& pattern_;
  std::string_view content_;
  DecoderRun& next_;
  RegexScratch scratch_;
  std::string text_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(Regex pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<ReplaceRun>(pattern_, content_, next);
  }

 private:
  Regex pattern_;
  std::string content_;
};

}  // namespace

std::unique_ptr<Decoder> make_replace_decoder(const JsonNode& json, int) {
  return std::make_unique<ReplaceDecoder>(read_pattern(json.at("pattern")),
                                          json.at("content").as_string());
}

}  // namespace aios::tokenizer
