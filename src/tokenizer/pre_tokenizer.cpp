#include "tokenizer/pre_tokenizer.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& json, PreTokenizerScope scope) {
  static constexpr StageEntry<PreTokenizer, PreTokenizerScope> kTable[] = {
      {"BertPreTokenizer", make_bert_pre_tokenizer},
      {"ByteLevel", make_byte_level},
      {"CharDelimiterSplit", make_char_delimiter_split},
      {"Digits", make_digits},
      {"FixedLength", make_fixed_length},
      {"Metaspace", make_metaspace},
      {"Punctuation", make_punctuation},
      {"SentencePiece", make_sentence_piece_split},
      {"Sequence", make_pre_tokenizer_sequence},
      {"Split", make_split},
      {"UnicodeScripts", make_unicode_scripts},
      {"Whitespace", make_whitespace},
      {"WhitespaceSplit", make_whitespace_split},
  };
  if (scope.depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, scope);
}

}  // namespace aios::tokenizer
