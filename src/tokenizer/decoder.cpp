#include "tokenizer/decoder.h"

#include <utility>

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {
namespace {

/// Collects a text that comes in pieces.
class GatheringRun final : public DecoderRun {
 public:
  explicit GatheringRun(std::unique_ptr<DecoderRun> run) : run_(std::move(run)) {}
  void push(std::string_view piece) override { text_ += piece; }
  void finish() override {
    run_->push(text_);
    run_->finish();
  }

 private:
  std::unique_ptr<DecoderRun> run_;
  std::string text_;
};

}  // namespace

std::unique_ptr<DecoderRun> Decoder::start_joined(DecoderRun& next) const {
  return std::make_unique<GatheringRun>(start(next));
}

std::unique_ptr<Decoder> make_decoder(const JsonNode& json, int depth) {
  static constexpr StageEntry<Decoder, int> kTable[] = {
      {"BPEDecoder", make_bpe_decoder},
      {"ByteFallback", make_byte_fallback_decoder},
      {"ByteLevel", make_byte_level_decoder},
      {"CTC", make_ctc_decoder},
      {"Fuse", make_fuse_decoder},
      {"Metaspace", make_metaspace_decoder},
      {"Replace", make_replace_decoder},
      {"Sequence", make_decoder_sequence},
      {"Strip", make_strip_decoder},
      {"WordPiece", make_word_piece_decoder},
  };
  if (depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, depth);
}

}  // namespace aios::tokenizer
