/// ByteLevel: GPT-2's splitting, then bytes instead of characters.
///
/// Source: pre_tokenizers/byte_level.rs of Hugging Face's tokenizers. The change of alphabet is
/// left to the model where it can read bytes (`maps_to_bytes`).
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/split_scanner.h"

namespace aios::tokenizer {
namespace {

class ByteLevel final : public PreTokenizer {
 public:
  struct Options {
    bool add_prefix_space, use_regex, leaves_bytes;
  };
  explicit ByteLevel(const Options& options) : options_(options) {}

  [[nodiscard]] bool maps_to_bytes() const override { return options_.leaves_bytes; }

  void split(WorkingText& text, RegexScratch&) const override {
    if (options_.add_prefix_space) add_prefix_spaces(text);
    if (options_.use_regex) cut(text);
    if (!options_.leaves_bytes) write_letters(text);
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

  static void cut(WorkingText& text) {
    text.split([](std::string_view part, auto emit) {
      for (uint32_t at = 0; at < part.size();) {
        const uint32_t end = scan_gpt2(part, at);
        emit(Piece{{at, end}});
        at = end;
      }
    });
  }

  static void write_letters(WorkingText& text) {
    text.rewrite([](const Piece& piece, const AlignedView& part, AlignedText& output) {
      if (piece.is_text()) {
        append_letters(part, output);
      } else {
        output.append(part);
      }
    });
  }

  Options options_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& json, PreTokenizerScope scope) {
  return std::make_unique<ByteLevel>(ByteLevel::Options{json.bool_or("add_prefix_space", true),
                                                        json.bool_or("use_regex", true),
                                                        scope.model_reads_bytes});
}

}  // namespace aios::tokenizer
