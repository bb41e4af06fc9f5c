#include "tokenizer/decoder.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

std::unique_ptr<Decoder> make_decoder(const JsonNode& json, int depth) {
  static constexpr StageEntry<Decoder, int> kTable[] = {
      {"ByteLevel", make_byte_level_decoder},
      {"Fuse", make_fuse_decoder},
      {"WordPiece", make_word_piece_decoder},
      {"Sequence", make_decoder_sequence},
  };
  if (depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, depth);
}

}  // namespace aios::tokenizer
