/// Pre-tokenizers one after the other, each on the pieces that the last one left.
#include <utility>
#include <vector>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"

namespace aios::tokenizer {
namespace {

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> parts)
      : parts_(std::move(parts)) {}

  [[nodiscard]] bool maps_to_bytes() const override {
    return !parts_.empty() && parts_.back()->maps_to_bytes();
  }

  void split(WorkingText& text, RegexScratch& scratch) const override {
    for (const auto& part : parts_) part->split(text, scratch);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(const JsonNode& json,
                                                          PreTokenizerScope scope) {
  const std::vector<JsonNode> stages = json.at("pretokenizers").elements();
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  for (const JsonNode& stage : stages) {
    const bool is_last = parts.size() + 1 == stages.size();
    parts.push_back(make_pre_tokenizer(
        stage, {scope.model_reads_bytes && is_last, scope.depth + 1, scope.vocabulary_size}));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

}  // namespace aios::tokenizer
