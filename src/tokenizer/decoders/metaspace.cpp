/// Metaspace: its character becomes a space again, or nothing in the first token.
///
/// Source: pre_tokenizers/metaspace.rs of Hugging Face's tokenizers.
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/decoders/text_replacement.h"
#include "tokenizer/json_node.h"
#include "tokenizer/prepend_scheme.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class MetaspaceRun final : public DecoderRun {
 public:
  MetaspaceRun(std::string_view replacement, bool has_prefix, DecoderRun& next)
      : replacement_(replacement), drops_(has_prefix), next_(next) {}

  void push(std::string_view token) override {
    text_ = token;
    replace_all(text_, replacement_, drops_ ? "" : " ");
    drops_ = false;
    next_.push(text_);
  }
  void finish() override { next_.finish(); }

 private:
  std::string_view replacement_;
  bool drops_;  // in the token to come
  DecoderRun& next_;
  std::string text_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, bool has_prefix)
      : replacement_(std::move(replacement)), has_prefix_(has_prefix) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<MetaspaceRun>(replacement_, has_prefix_, next);
  }

 private:
  std::string replacement_;
  bool has_prefix_;
};

}  // namespace

std::unique_ptr<Decoder> make_metaspace_decoder(const JsonNode& json, int) {
  std::string replacement;
  append_utf8(json.at("replacement").as_character(), replacement);
  return std::make_unique<MetaspaceDecoder>(std::move(replacement),
                                            read_prepend_scheme(json) != PrependScheme::kNever);
}

}  // namespace aios::tokenizer
