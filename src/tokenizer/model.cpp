#include "tokenizer/model.h"

#include "tokenizer/stage_registry.h"

namespace aios::tokenizer {

// Files written before 2020 have no type.
std::string model_type(const JsonNode& json) {
  if (const auto type = json.find("type")) return type->as_string();
  if (json.find("merges")) return "BPE";
  if (json.find("max_input_chars_per_word")) return "WordPiece";
  if (json.find("unk_id")) return "Unigram";
  json.fail("'type' is missing");
}

bool reads_bytes(const JsonNode& json) {
  return model_type(json) == "BPE" && !json.bool_or("byte_fallback", false) &&
         json.string_or("continuing_subword_prefix", "").empty() &&
         json.string_or("end_of_word_suffix", "").empty();
}

std::unique_ptr<Model> make_model(const JsonNode& json, ModelScope scope) {
  static constexpr StageEntry<Model, ModelScope> kTable[] = {
      {"BPE", make_bpe},
      {"Unigram", make_unigram},
      {"WordLevel", make_word_level},
      {"WordPiece", make_word_piece},
  };
  return make_stage(kTable, model_type(json), json, scope);
}

}  // namespace aios::tokenizer
