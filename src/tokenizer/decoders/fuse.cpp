/// Fuse: all tokens become one. And the rule for files without a decoder: spaces between tokens.
#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

class JoiningRun final : public DecoderRun {
 public:
  JoiningRun(std::string_view separator, DecoderRun& next) : separator_(separator), next_(next) {}

  void push(std::string_view token) override {
    if (!is_first_ && !separator_.empty()) next_.push(separator_);
    is_first_ = false;
    next_.push(token);
  }
  void finish() override { next_.finish(); }

 private:
  std::string_view separator_;
  DecoderRun& next_;
  bool is_first_ = true;
};

class JoiningDecoder final : public Decoder {
 public:
  explicit JoiningDecoder(std::string_view separator) : separator_(separator) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<JoiningRun>(separator_, next);
  }
  [[nodiscard]] bool joins() const override { return true; }
  [[nodiscard]] std::unique_ptr<DecoderRun> start_joined(DecoderRun& next) const override {
    return std::make_unique<JoiningRun>("", next);
  }

 private:
  std::string_view separator_;
};

}  // namespace

std::unique_ptr<Decoder> make_fuse_decoder(const JsonNode&, int) {
  return std::make_unique<JoiningDecoder>("");
}

std::unique_ptr<Decoder> make_spaced_decoder() { return std::make_unique<JoiningDecoder>(" "); }

}  // namespace aios::tokenizer
