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

struct PreTokenizerScope {
  /// Whether ByteLevel, as the last stage, may leave the change of alphabet to the model.
  bool model_reads_bytes = false;
  int depth = 0;  ///< of nested sequences
  /// How many entries the model's vocabulary has; every id below is within its bound.
  int64_t vocabulary_size = 0;
};

/// @throws FormatError naming an unsupported type or option
[[nodiscard]] std::unique_ptr<PreTokenizer> make_pre_tokenizer(const JsonNode& json,
                                                               PreTokenizerScope scope);

/// Files in pre_tokenizers/; rows of the table in pre_tokenizer.cpp.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer(const JsonNode& json,
                                                                    PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_byte_level(const JsonNode& json,
                                                            PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_char_delimiter_split(const JsonNode& json,
                                                                      PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_digits(const JsonNode& json,
                                                        PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_fixed_length(const JsonNode& json,
                                                              PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_metaspace(const JsonNode& json,
                                                           PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_punctuation(const JsonNode& json,
                                                             PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(const JsonNode& json,
                                                                        PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_split(const JsonNode& json,
                                                       PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_unicode_scripts(const JsonNode& json,
                                                                 PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_whitespace(const JsonNode& json,
                                                            PreTokenizerScope scope);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_whitespace_split(const JsonNode& json,
                                                                  PreTokenizerScope scope);
/// Not of Hugging Face: what formats/sentence_piece.cpp needs.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_sentence_piece_split(const JsonNode& json,
                                                                      PreTokenizerScope scope);

}  // namespace aios::tokenizer
