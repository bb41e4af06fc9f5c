#include "tokenizer/normalizer.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

std::unique_ptr<Normalizer> make_normalizer(const JsonNode& json, int depth) {
  static constexpr StageEntry<Normalizer, int> kTable[] = {
      {"BertNormalizer", make_bert_normalizer},
      {"NFC", make_nfc},
      {"NFD", make_nfd},
      {"Sequence", make_normalizer_sequence},
  };
  if (depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, depth);
}

}  // namespace aios::tokenizer
