/// WordPiece: words with spaces between them, continuations without their prefix; `cleanup` takes
/// back the space before punctuation and in English contractions, within each token.
///
/// Source: decoders/wordpiece.rs of Hugging Face's tokenizers.
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/text_replacement.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

class WordPieceRun final : public DecoderRun {
 public:
  WordPieceRun(std::string_view prefix, bool cleanup, DecoderRun& next)
      : prefix_(prefix), cleanup_(cleanup), next_(next) {}

  void push(std::string_view token) override {
    if (is_first_) {
      text_ = token;
    } else if (token.starts_with(prefix_)) {
      text_ = token.substr(prefix_.size());
    } else {
      text_ = ' ';
      text_ += token;
    }
    is_first_ = false;
    if (cleanup_) clean_up(text_);
    next_.push(text_);
  }
  void finish() override { next_.finish(); }

 private:
  std::string_view prefix_;
  bool cleanup_;
  DecoderRun& next_;
  bool is_first_ = true;
  std::string text_;
};

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup)
      : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<WordPieceRun>(prefix_, cleanup_, next);
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<Decoder> make_word_piece_decoder(const JsonNode& json, int) {
  return std::make_unique<WordPieceDecoder>(json.string_or("prefix", "##"),
                                            json.bool_or("cleanup", true));
}

}  // namespace aios::tokenizer
