/// Post-processors one after the other, each on the sections that the last one left.
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/post_processor.h"

namespace aios::tokenizer {
namespace {

class PostProcessorSequence final : public PostProcessor {
 public:
  explicit PostProcessorSequence(std::vector<std::unique_ptr<PostProcessor>> parts)
      : parts_(std::move(parts)) {}

  [[nodiscard]] int64_t num_added_tokens(bool is_pair) const override {
    int64_t sum = 0;
    for (const auto& part : parts_) sum += part->num_added_tokens(is_pair);
    return sum;
  }
  [[nodiscard]] bool trims() const override {
    for (const auto& part : parts_) {
      if (part->trims()) return true;
    }
    return false;
  }
  void process(std::vector<Section>& sections, bool add_special_tokens) const override {
    for (const auto& part : parts_) part->process(sections, add_special_tokens);
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> parts_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_post_processor_sequence(const JsonNode& json,
                                                            PostProcessorScope scope) {
  std::vector<std::unique_ptr<PostProcessor>> parts;
  for (const JsonNode& part : json.at("processors").elements()) {
    parts.push_back(make_post_processor(part, {scope.id_bound, scope.depth + 1}));
  }
  return std::make_unique<PostProcessorSequence>(std::move(parts));
}

}  // namespace aios::tokenizer
