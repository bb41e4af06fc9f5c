/// Last stage: from the texts of tokens to text (tokenizer.json: "decoder").
///
/// A decoder works token by token and passes on what is final, so that decoding at once and
/// decoding as a stream are one and the same code.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace aios::tokenizer {

class JsonNode;

/// One decoder at work on one text. Not thread-safe.
class DecoderRun {
 public:
  virtual ~DecoderRun() = default;
  /// Takes the next token.
  virtual void push(std::string_view token) = 0;
  /// No token follows.
  virtual void finish() = 0;
};

/// Immutable; shared by threads.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Begins a text, to be handed to `next`, which must outlive the run.
  [[nodiscard]] virtual std::unique_ptr<DecoderRun> start(DecoderRun& next) const = 0;
  /// Whether the whole text leaves as if it were one token; then no decoder may follow.
  [[nodiscard]] virtual bool joins() const { return false; }
};

/// @throws FormatError naming an unsupported type or option
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(const JsonNode& json, int depth = 0);
/// For files without a decoder: tokens with a space between them.
[[nodiscard]] std::unique_ptr<Decoder> make_spaced_decoder();

/// One per file in decoders/; rows of the table in decoder.cpp.
[[nodiscard]] std::unique_ptr<Decoder> make_byte_level_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_fuse_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_word_piece_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_decoder_sequence(const JsonNode& json, int depth);

}  // namespace aios::tokenizer
