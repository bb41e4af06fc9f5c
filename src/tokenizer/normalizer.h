/// First stage: rewrites the text before it is cut (tokenizer.json: "normalizer").
#pragma once

#include <memory>
#include <string_view>

#include "tokenizer/aligned_text.h"

namespace aios::tokenizer {

class JsonNode;

/// Immutable; shared by threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// Whether `text` is known to come out as it is. Cheap, and may be wrong on the side of no.
  [[nodiscard]] virtual bool keeps(std::string_view text) const = 0;
  /// Appends the normalized `input` to `output`.
  virtual void normalize(const AlignedView& input, AlignedText& output) const = 0;
};

/// @throws FormatError naming an unsupported type or option
[[nodiscard]] std::unique_ptr<Normalizer> make_normalizer(const JsonNode& json, int depth = 0);

/// Files in normalizers/; rows of the table in normalizer.cpp.
[[nodiscard]] std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_byte_level_normalizer(const JsonNode& json,
                                                                     int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_lowercase(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_nfc(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_nfd(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_nfkc(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_nfkd(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_nmt(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_prepend(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_precompiled(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_replace(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_normalizer_sequence(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_strip(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Normalizer> make_strip_accents(const JsonNode& json, int depth);
/// Not of Hugging Face: what formats/sentence_piece.cpp needs.
[[nodiscard]] std::unique_ptr<Normalizer> make_sentence_piece_normalizer(const JsonNode& json,
                                                                         int depth);

}  // namespace aios::tokenizer
