/// Second stage: cuts the text into words (tokenizer.json: "pre_tokenizer").
#pragma once

#include <memory>

#include "tokenizer/regex.h"
#include "tokenizer/working_text.h"

namespace aios::tokenizer {

class JsonNode;

/// Immutable; shared by threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void split(WorkingText& text, RegexScratch& scratch) const = 0;
  /// Whether the model must see bytes instead of characters: ByteLevel's alphabet writes each byte
  /// as a character of its own, so that nothing is lost by leaving the words as they are and
  /// reading the vocabulary as bytes.
  [[nodiscard]] virtual bool maps_to_bytes() const { return false; }
};

/// @throws FormatError naming an unsupported type or option
[[nodiscard]] std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& json, int depth = 0);

/// One per file in pre_tokenizers/; rows of the table in pre_tokenizer.cpp.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer(const JsonNode& json,
                                                                    int depth);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_split(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(const JsonNode& json,
                                                                        int depth);

}  // namespace aios::tokenizer
