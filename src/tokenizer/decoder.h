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
  /// Whether the whole text leaves as if it were one token, in pieces.
  [[nodiscard]] virtual bool joins() const { return false; }
  /// The same as `start` behind a decoder that joins: all that is pushed is one token. Unless a
  /// decoder knows better it waits for the end.
  [[nodiscard]] virtual std::unique_ptr<DecoderRun> start_joined(DecoderRun& next) const;
};

/// @throws FormatError naming an unsupported type or option
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(const JsonNode& json, int depth = 0);
/// For files without a decoder: tokens with a space between them.
[[nodiscard]] std::unique_ptr<Decoder> make_spaced_decoder();

/// Files in decoders/; rows of the table in decoder.cpp.
[[nodiscard]] std::unique_ptr<Decoder> make_bpe_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_byte_fallback_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_byte_level_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_ctc_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_fuse_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_metaspace_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_replace_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_decoder_sequence(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_strip_decoder(const JsonNode& json, int depth);
[[nodiscard]] std::unique_ptr<Decoder> make_word_piece_decoder(const JsonNode& json, int depth);

}  // namespace aios::tokenizer
