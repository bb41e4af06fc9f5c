/// Decoders one after the other.
#include <utility>
#include <vector>

#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

class SequenceRun final : public DecoderRun {
 public:
  SequenceRun(const std::vector<std::unique_ptr<Decoder>>& parts, DecoderRun& next) {
    DecoderRun* follower = &next;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      runs_.push_back((*part)->start(*follower));
      follower = runs_.back().get();
    }
    first_ = follower;
  }

  void push(std::string_view token) override { first_->push(token); }
  void finish() override { first_->finish(); }

 private:
  std::vector<std::unique_ptr<DecoderRun>> runs_;  // last decoder first
  DecoderRun* first_;
};

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<Decoder>> parts)
      : parts_(std::move(parts)) {}
  [[nodiscard]] std::unique_ptr<DecoderRun> start(DecoderRun& next) const override {
    return std::make_unique<SequenceRun>(parts_, next);
  }
  [[nodiscard]] bool joins() const override { return !parts_.empty() && parts_.back()->joins(); }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder_sequence(const JsonNode& json, int depth) {
  std::vector<std::unique_ptr<Decoder>> parts;
  for (const JsonNode& part : json.at("decoders").elements()) {
    auto decoder = make_decoder(part, depth + 1);
    // Fuse changes nothing behind a decoder that joins; any other one would see pieces of its
    // token.
    if (!parts.empty() && parts.back()->joins() && part.at("type").as_string() != "Fuse") {
      part.fail("a decoder after ByteLevel or Fuse is not supported");
    }
    parts.push_back(std::move(decoder));
  }
  return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace aios::tokenizer
