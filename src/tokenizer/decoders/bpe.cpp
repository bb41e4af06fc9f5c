/// BPEDecoder: the suffix at the end of words becomes a space, but not in the last token.
#include <optional>
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/text_replacement.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

class BpeRun final : public DecoderRun {
 public:
  BpeRun(std::string_view suffix, DecoderRun& next) : suffix_(suffix), next_(next) {}

  void push(std::string_view token) override {
    pass_on(" ");
    held_ = token;
  }
  void finish() override {
    pass_on("");
    next_.finish();
  }

 private:
  void pass_on(std::string_view replacement) {
    if (!held_) return;
    replace_all(*held_, suffix_, replacement);
    next_.push(*held_);
    held_.reset();
  }

  std::string_view suffix_;
  DecoderRun& next_;
  std::optional<std::string> held_;  // may be the last token
};

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<BpeRun>(suffix_, next);
  }

 private:
  std::string suffix_;
};

}  // namespace

std::unique_ptr<Decoder> make_bpe_decoder(const JsonNode& json, int) {
  return std::make_unique<BpeDecoder>(json.string_or("suffix", "</w>"));
}

}  // namespace aios::tokenizer
