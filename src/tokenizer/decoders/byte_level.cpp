/// ByteLevel: letters of the byte alphabet back to bytes, and those to text.
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class ByteLevelRun final : public DecoderRun {
 public:
  explicit ByteLevelRun(DecoderRun& next) : next_(next) {}

  void push(std::string_view token) override {
    text_.clear();
    // A token that is not written in the alphabet stands for itself.
    if (const auto bytes = bytes_of_letters(token)) {
      repair_.push(*bytes, text_);
    } else {
      repair_.push(token, text_);
    }
    if (!text_.empty()) next_.push(text_);
  }

  void finish() override {
    text_.clear();
    repair_.finish(text_);
    if (!text_.empty()) next_.push(text_);
    next_.finish();
  }

 private:
  DecoderRun& next_;
  Utf8Repair repair_;
  std::string text_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<ByteLevelRun>(next);
  }
  [[nodiscard]] bool joins() const override { return true; }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_level_decoder(const JsonNode&, int) {
  return std::make_unique<ByteLevelDecoder>();
}

}  // namespace aios::tokenizer
