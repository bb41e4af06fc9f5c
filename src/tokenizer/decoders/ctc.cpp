/// CTC (connectionist temporal classification): repeated tokens are one, padding separates them.
///
/// Source: decoders/ctc.rs of Hugging Face's tokenizers.
#include <optional>
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/text_replacement.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

struct CtcOptions {
  std::string padding, word_delimiter;
  bool cleanup;
};

class CtcRun final : public DecoderRun {
 public:
  CtcRun(const CtcOptions& options, DecoderRun& next) : options_(options), next_(next) {}

  void push(std::string_view token) override {
    if (previous_ == token) return;
    previous_ = token;
    text_ = token;
    replace_all(text_, options_.padding, "");
    if (options_.cleanup) {
      clean_up(text_);
      replace_all(text_, options_.word_delimiter, " ");
    }
    if (!text_.empty()) next_.push(text_);
  }
  void finish() override { next_.finish(); }

 private:
  const CtcOptions& options_;
  DecoderRun& next_;
  std::optional<std::string> previous_;
  std::string text_;
};

class CtcDecoder final : public Decoder {
 public:
  explicit CtcDecoder(CtcOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<CtcRun>(options_, next);
  }

 private:
  CtcOptions options_;
};

}  // namespace

std::unique_ptr<Decoder> make_ctc_decoder(const JsonNode& json, int) {
  return std::make_unique<CtcDecoder>(CtcOptions{json.string_or("pad_token", "<pad>"),
                                                 json.string_or("word_delimiter_token", "|"),
                                                 json.bool_or("cleanup", true)});
}

}  // namespace aios::tokenizer
