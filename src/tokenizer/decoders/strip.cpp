/// Strip: takes a character off both ends of each token, so many times at most.
///
/// Source: decoders/strip.rs of Hugging Face's tokenizers.
#include <algorithm>
#include <limits>
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

struct StripOptions {
  std::string content;
  int64_t start, stop;
};

/// Strips one token that comes in pieces.
class TokenStrip {
 public:
  explicit TokenStrip(const StripOptions& options) : options_(&options), left_(options.start) {}

  /// Appends what is certain to stay.
  void push(std::string_view piece, std::string& text) {
    const std::string& content = options_->content;
    for (; left_ > 0 && piece.starts_with(content); --left_) piece.remove_prefix(content.size());
    if (!piece.empty()) left_ = 0;
    while (!piece.empty()) {
      const std::size_t size = utf8_size(piece[0]);
      if (options_->stop > 0 && piece.starts_with(content)) {
        if (held_ == options_->stop) text += content;
        held_ = std::min(held_ + 1, options_->stop);
      } else {
        for (; held_ > 0; --held_) text += content;
        text += piece.substr(0, size);
      }
      piece.remove_prefix(size);
    }
  }

 private:
  const StripOptions* options_;
  int64_t left_;      // so many may still be taken off the start
  int64_t held_ = 0;  // of the character at the end so far
};

class StripRun final : public DecoderRun {
 public:
  StripRun(const StripOptions& options, bool is_one_token, DecoderRun& next)
      : options_(options), is_one_token_(is_one_token), strip_(options), next_(next) {}

  void push(std::string_view token) override {
    if (!is_one_token_) strip_ = TokenStrip(options_);
    text_.clear();
    strip_.push(token, text_);
    next_.push(text_);
  }
  void finish() override { next_.finish(); }

 private:
  const StripOptions& options_;
  bool is_one_token_;
  TokenStrip strip_;
  DecoderRun& next_;
  std::string text_;
};

class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(StripOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<StripRun>(options_, false, next);
  }
  [[nodiscard]] std::unique_ptr<DecoderRun> start_joined(DecoderRun& next) const override {
    return std::make_unique<StripRun>(options_, true, next);
  }

 private:
  StripOptions options_;
};

}  // namespace

std::unique_ptr<Decoder> make_strip_decoder(const JsonNode& json, int) {
  constexpr int64_t kLimit = std::numeric_limits<int32_t>::max();
  StripOptions options{
      {}, json.at("start").as_integer(0, kLimit), json.at("stop").as_integer(0, kLimit)};
  append_utf8(json.at("content").as_character(), options.content);
  return std::make_unique<StripDecoder>(std::move(options));
}

}  // namespace aios::tokenizer
