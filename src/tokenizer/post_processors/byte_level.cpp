/// ByteLevel: takes the spaces that tokens carry off their offsets.
#include "tokenizer/json_node.h"
#include "tokenizer/post_processor.h"

namespace aios::tokenizer {
namespace {

class ByteLevelProcessing final : public PostProcessor {
 public:
  ByteLevelProcessing(bool trim, bool add_prefix_space)
      : trim_(trim), add_prefix_space_(add_prefix_space) {}

  [[nodiscard]] int64_t num_added_tokens(bool) const override { return 0; }
  [[nodiscard]] bool trims() const override { return trim_; }

  void process(std::vector<Section>& sections, bool) const override {
    if (!trim_) return;
    for (Section& section : sections) trim_offsets(section, add_prefix_space_);
  }

 private:
  bool trim_;
  bool add_prefix_space_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_byte_level_processing(const JsonNode& json,
                                                          PostProcessorScope) {
  return std::make_unique<ByteLevelProcessing>(json.bool_or("trim_offsets", true),
                                               json.bool_or("add_prefix_space", true));
}

}  // namespace aios::tokenizer
