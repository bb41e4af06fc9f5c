#include "tokenizer/pre_tokenizer.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& json, int depth) {
  static constexpr StageEntry<PreTokenizer, int> kTable[] = {
      {"BertPreTokenizer", make_bert_pre_tokenizer},
      {"ByteLevel", make_byte_level},
      {"Split", make_split},
      {"Sequence", make_pre_tokenizer_sequence},
  };
  if (depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, depth);
}

}  // namespace aios::tokenizer
