/// Decoders one after the other.
#include <algorithm>
#include <utility>
#include <vector>

#include "tokenizer/decoder.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

class SequenceRun final : public DecoderRun {
 public:
  SequenceRun(const std::vector<std::unique_ptr<Decoder>>& parts, bool joined, DecoderRun& next) {
    std::vector<bool> comes_joined;
    for (const auto& part : parts) {
      comes_joined.push_back(joined);
      joined = joined || part->joins();
    }
    DecoderRun* follower = &next;
    for (std::size_t i = parts.size(); i-- > 0;) {
      runs_.push_back(comes_joined[i] ? parts[i]->start_joined(*follower)
                                      : parts[i]->start(*follower));
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
    return std::make_unique<SequenceRun>(parts_, false, next);
  }
  [[nodiscard]] std::unique_ptr<DecoderRun> start_joined(DecoderRun& next) const override {
    return std::make_unique<SequenceRun>(parts_, true, next);
  }
  [[nodiscard]] bool joins() const override {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part->joins(); });
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder_sequence(const JsonNode& json, int depth) {
  std::vector<std::unique_ptr<Decoder>> parts;
  for (const JsonNode& part : json.at("decoders").elements()) {
    parts.push_back(make_decoder(part, depth + 1));
  }
  return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace aios::tokenizer
