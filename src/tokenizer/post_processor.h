/// Fourth stage: adds the special tokens that frame the text (tokenizer.json: "post_processor").
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "aios/tokenizer.h"

namespace aios::tokenizer {

class JsonNode;

/// White space at the ends of a token's own text, in characters, which trimming takes off its
/// offsets.
struct Margins {
  uint32_t leading, trailing;
};

/// A text, or a run of tokens that a template put beside it.
struct Section {
  std::string_view text;         ///< that the offsets point into; borrowed from the caller
  Encoding encoding;             ///< but for attention_mask, which comes last
  std::vector<Margins> margins;  ///< one per token if the processor `trims`, else empty
  std::vector<Section> windows;  ///< what truncation cut off
};

/// Sets type id and mask of all tokens, of windows too.
void set_type(Section& section, int32_t type_id);

/// Immutable; shared by threads.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  /// How many special tokens are added to one text, or to a pair.
  [[nodiscard]] virtual int64_t num_added_tokens(bool is_pair) const = 0;
  /// Whether `Section::margins` are needed.
  [[nodiscard]] virtual bool trims() const { return false; }
  /// From one section per text to the sections of the result, in order.
  virtual void process(std::vector<Section>& sections, bool add_special_tokens) const = 0;
};

/// A section of one special token.
[[nodiscard]] Section special_section(int32_t id, int32_t type_id);

/// Takes white space off offsets. A single leading space stays if `add_prefix_space` may have put
/// it there, at the first token or at the start of the text. Source: pre_tokenizers/byte_level.rs,
/// `process_offsets`, of Hugging Face's tokenizers.
void trim_offsets(Section& section, bool add_prefix_space);

struct PostProcessorScope {
  int32_t id_bound;  ///< ids that processors add are below it
  int depth = 0;     ///< of nested sequences
};

/// @throws FormatError naming an unsupported type or option, or an id outside the vocabulary
[[nodiscard]] std::unique_ptr<PostProcessor> make_post_processor(const JsonNode& json,
                                                                 PostProcessorScope scope);

/// One per file in post_processors/; rows of the table in post_processor.cpp.
[[nodiscard]] std::unique_ptr<PostProcessor> make_bert_processing(const JsonNode& json,
                                                                  PostProcessorScope scope);
[[nodiscard]] std::unique_ptr<PostProcessor> make_byte_level_processing(const JsonNode& json,
                                                                        PostProcessorScope scope);
[[nodiscard]] std::unique_ptr<PostProcessor> make_roberta_processing(const JsonNode& json,
                                                                     PostProcessorScope scope);
[[nodiscard]] std::unique_ptr<PostProcessor> make_template_processing(const JsonNode& json,
                                                                      PostProcessorScope scope);
[[nodiscard]] std::unique_ptr<PostProcessor> make_post_processor_sequence(const JsonNode& json,
                                                                          PostProcessorScope scope);

}  // namespace aios::tokenizer
