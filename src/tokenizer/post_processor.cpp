#include "tokenizer/post_processor.h"

#include <algorithm>

#include "tokenizer/stage_registry.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {

void set_type(Section& section, int32_t type_id) {
  section.encoding.type_ids.assign(section.encoding.ids.size(), type_id);
  section.encoding.special_tokens_mask.assign(section.encoding.ids.size(), 0);
  for (Section& window : section.windows) set_type(window, type_id);
}

Section special_section(int32_t id, int32_t type_id) {
  Section section;
  section.encoding.ids = {id};
  section.encoding.offsets = {{0, 0}};
  section.encoding.type_ids = {type_id};
  section.encoding.word_ids = {-1};
  section.encoding.special_tokens_mask = {1};
  section.margins = {{0, 0}};
  return section;
}

void trim_offsets(Section& section, bool add_prefix_space) {
  const std::string_view text = section.text;
  for (std::size_t i = 0; i < section.margins.size(); ++i) {
    auto& [begin, end] = section.encoding.offsets[i];
    const auto [leading, trailing] = section.margins[i];
    const bool may_be_added = add_prefix_space && leading == 1 && (i == 0 || begin == 0);
    for (uint32_t count = may_be_added ? 0 : leading; count > 0 && begin < end; --count) {
      begin += utf8_size(text[static_cast<std::size_t>(begin)]);
    }
    int64_t trimmed = end;
    uint32_t left = trailing;
    for (; left > 0 && trimmed > 0; --left) {
      do {
        --trimmed;
      } while (trimmed > 0 && is_continuation(text[static_cast<std::size_t>(trimmed)]));
    }
    if (left == 0) end = std::max(trimmed, begin);
  }
  for (Section& window : section.windows) trim_offsets(window, add_prefix_space);
}

std::unique_ptr<PostProcessor> make_post_processor(const JsonNode& json, PostProcessorScope scope) {
  static constexpr StageEntry<PostProcessor, PostProcessorScope> kTable[] = {
      {"BertProcessing", make_bert_processing},
      {"ByteLevel", make_byte_level_processing},
      {"RobertaProcessing", make_roberta_processing},
      {"TemplateProcessing", make_template_processing},
      {"Sequence", make_post_processor_sequence},
  };
  if (scope.depth > kMaxNesting) json.fail("sequences are nested too deeply");
  return make_stage(kTable, json.at("type").as_string(), json, scope);
}

}  // namespace aios::tokenizer
