/// RobertaProcessing: <s> A </s>, or <s> A </s></s> B </s>; every type id is 0.
#include <algorithm>
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/post_processor.h"

namespace aios::tokenizer {
namespace {

class RobertaProcessing final : public PostProcessor {
 public:
  struct Options {
    int32_t classify, separator;
    bool trim_offsets, add_prefix_space;
  };
  explicit RobertaProcessing(const Options& options) : options_(options) {}

  [[nodiscard]] int64_t num_added_tokens(bool is_pair) const override { return is_pair ? 4 : 2; }
  [[nodiscard]] bool trims() const override { return options_.trim_offsets; }

  void process(std::vector<Section>& sections, bool add_special_tokens) const override {
    for (Section& section : sections) {
      if (options_.trim_offsets) trim_offsets(section, options_.add_prefix_space);
      zero_types(section);
    }
    if (!add_special_tokens) return;
    std::vector<Section> result;
    for (Section& section : sections) {
      const int32_t before = result.empty() ? options_.classify : options_.separator;
      result.push_back(special_section(before, 0));
      result.push_back(std::move(section));
      result.push_back(special_section(options_.separator, 0));
    }
    sections = std::move(result);
  }

 private:
  static void zero_types(Section& section) {
    std::fill(section.encoding.type_ids.begin(), section.encoding.type_ids.end(), 0);
    for (Section& window : section.windows) zero_types(window);
  }

  Options options_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_roberta_processing(const JsonNode& json,
                                                       PostProcessorScope scope) {
  return std::make_unique<RobertaProcessing>(RobertaProcessing::Options{
      read_token_with_id(json.at("cls"), scope.id_bound),
      read_token_with_id(json.at("sep"), scope.id_bound), json.bool_or("trim_offsets", true),
      json.bool_or("add_prefix_space", true)});
}

}  // namespace aios::tokenizer
