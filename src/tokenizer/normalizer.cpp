#include "tokenizer/normalizer.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

std::unique_ptr<Normalizer> make_normalizer(const JsonNode& json, int depth) {
  static constexpr StageEntry<Normalizer, int> kTable[] = {
      {"BertNormalizer", make_bert_normalizer},
      {"ByteLevel", make_byte_level_normalizer},
      {"Lowercase", make_lowercase},
      {"NFC", make_nfc},
      {"NFD", make_nfd},
      {"NFKC", make_nfkc},
      {"NFKD", make_nfkd},
      {"Nmt", make_nmt},
      {"Precompiled", make_precompiled},
      {"Prepend", make_prepend},
      {"Replace", make_replace},
      {"SentencePiece", make_sentence_piece_normalizer},
      {"Sequence", make_normalizer_sequence},
      {"Strip", make_strip},
      {"StripAccents", make_strip_accents},
  };
  if (depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, depth);
}

}  // namespace aios::tokenizer
