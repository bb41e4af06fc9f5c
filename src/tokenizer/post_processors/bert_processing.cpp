/// BertProcessing: [CLS] A [SEP], or [CLS] A [SEP] B [SEP].
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/post_processor.h"

namespace aios::tokenizer {
namespace {

class BertProcessing final : public PostProcessor {
 public:
  BertProcessing(int32_t classify, int32_t separator)
      : classify_(classify), separator_(separator) {}

  [[nodiscard]] int64_t num_added_tokens(bool is_pair) const override { return is_pair ? 3 : 2; }

  void process(std::vector<Section>& sections, bool add_special_tokens) const override {
    if (!add_special_tokens) return;
    std::vector<Section> result;
    result.reserve(2 * sections.size() + 1);
    result.push_back(special_section(classify_, 0));
    for (Section& section : sections) {
      const int32_t type_id = result.size() == 1 ? 0 : 1;
      result.push_back(std::move(section));
      result.push_back(special_section(separator_, type_id));
    }
    sections = std::move(result);
  }

 private:
  int32_t classify_, separator_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_bert_processing(const JsonNode& json,
                                                    PostProcessorScope scope) {
  return std::make_unique<BertProcessing>(read_token_with_id(json.at("cls"), scope.id_bound),
                                          read_token_with_id(json.at("sep"), scope.id_bound));
}

}  // namespace aios::tokenizer
