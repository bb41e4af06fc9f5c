/// ByteLevel: GPT-2's splitting, then bytes instead of characters.
///
/// Source: pre_tokenizers/byte_level.rs of Hugging Face's tokenizers. The change of alphabet is
/// left to the model (`maps_to_bytes`).
#include <optional>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"

namespace aios::tokenizer {
namespace {

/// https://github.com/openai/gpt-2/blob/master/src/encoder.py
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex) : add_prefix_space_(add_prefix_space) {
    if (use_regex) regex_.emplace(kGpt2Pattern);
  }

  [[nodiscard]] bool maps_to_bytes() const override { return true; }

  void split(WorkingText& text, RegexScratch& scratch) const override {
    if (add_prefix_space_) add_prefix_spaces(text);
    if (!regex_) return;
    text.split([&](std::string_view part, auto emit) {
      regex_->for_each_section(part, scratch, [&](Span span, bool) { emit(Piece{span}); });
    });
  }

 private:
  static void add_prefix_spaces(WorkingText& text) {
    text.rewrite([](const Piece& piece, const AlignedView& part, AlignedText& output) {
      // The space shares the origin of the character that it precedes.
      if (piece.is_text() && !part.text().starts_with(' '))
        output.append_ascii(' ', part.origin(0));
      output.append(part);
    });
  }

  bool add_prefix_space_;
  std::optional<Regex> regex_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& json, int) {
  return std::make_unique<ByteLevel>(json.bool_or("add_prefix_space", true),
                                     json.bool_or("use_regex", true));
}

}  // namespace aios::tokenizer
