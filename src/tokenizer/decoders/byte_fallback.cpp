/// ByteFallback: runs of tokens <0x00> to <0xFF> become the text that they spell, or one U+FFFD for
/// each token if they spell none.
///
/// Source: decoders/byte_fallback.rs of Hugging Face's tokenizers.
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  // Rust reads "+f" as a number too.
  std::string_view digits = token.substr(3, 2);
  if (digits[0] == '+') digits.remove_prefix(1);
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<char>(byte);
}

class ByteFallbackRun final : public DecoderRun {
 public:
  explicit ByteFallbackRun(DecoderRun& next) : next_(next) {}

  void push(std::string_view token) override {
    if (const auto byte = byte_of(token)) {
      bytes_ += *byte;
      return;
    }
    pass_on();
    next_.push(token);
  }
  void finish() override {
    pass_on();
    next_.finish();
  }

 private:
  void pass_on() {
    if (bytes_.empty()) return;
    if (find_invalid_utf8(bytes_) == bytes_.size()) {
      next_.push(bytes_);
    } else {
      for (std::size_t i = 0; i < bytes_.size(); ++i) next_.push(kReplacement);
    }
    bytes_.clear();
  }

  DecoderRun& next_;
  std::string bytes_;
};

class ByteFallbackDecoder final : public Decoder {
 public:
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<ByteFallbackRun>(next);
  }
};

}  // namespace

std::unique_ptr<Decoder> make_byte_fallback_decoder(const JsonNode&, int) {
  return std::make_unique<ByteFallbackDecoder>();
}

}  // namespace aios::tokenizer
