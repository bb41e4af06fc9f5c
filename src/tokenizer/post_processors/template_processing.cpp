/// TemplateProcessing: texts and special tokens in the order of a template, one for a single text
/// and one for a pair.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/post_processor.h"

namespace aios::tokenizer {
namespace {

/// A text (0 or 1), or special tokens.
struct TemplatePiece {
  static constexpr int kSpecial = -1;
  int text = kSpecial;
  bool is_last_use = false;  // of the text in this template
  std::vector<int32_t> ids;
  int32_t type_id = 0;
};

class TemplateProcessing final : public PostProcessor {
 public:
  using Template = std::vector<TemplatePiece>;
  TemplateProcessing(Template single, Template pair)
      : templates_{std::move(single), std::move(pair)} {
    for (Template& pieces : templates_) {
      for (const int text : {0, 1}) {
        const auto last = std::find_if(pieces.rbegin(), pieces.rend(),
                                       [&](const auto& piece) { return piece.text == text; });
        if (last != pieces.rend()) last->is_last_use = true;
      }
    }
  }

  [[nodiscard]] int64_t num_added_tokens(bool is_pair) const override {
    int64_t sum = 0;
    for (const TemplatePiece& piece : templates_[is_pair ? 1 : 0]) {
      sum += static_cast<int64_t>(piece.ids.size());
    }
    return sum;
  }

  void process(std::vector<Section>& sections, bool add_special_tokens) const override {
    const Template& pieces = templates_[sections.size() == 1 ? 0 : 1];
    std::vector<Section> result;
    result.reserve(pieces.size());
    for (const TemplatePiece& piece : pieces) {
      if (piece.text != TemplatePiece::kSpecial) {
        const auto index = static_cast<std::size_t>(piece.text);
        if (index >= sections.size()) continue;
        Section section = piece.is_last_use ? std::move(sections[index]) : sections[index];
        std::fill(section.encoding.type_ids.begin(), section.encoding.type_ids.end(),
                  piece.type_id);
        result.push_back(std::move(section));
      } else if (add_special_tokens) {
        for (const int32_t id : piece.ids) result.push_back(special_section(id, piece.type_id));
      }
    }
    sections = std::move(result);
  }

 private:
  std::array<Template, 2> templates_;
};

int32_t read_type_id(const JsonNode& json) {
  const auto type_id = json.find("type_id");
  if (!type_id) return 0;
  return static_cast<int32_t>(type_id->as_integer(0, std::numeric_limits<int32_t>::max()));
}

std::vector<int32_t> read_special(const JsonNode& specials, const std::string& name,
                                  int32_t id_bound) {
  std::vector<int32_t> ids;
  for (const JsonNode& id : specials.at(name).at("ids").elements()) {
    ids.push_back(static_cast<int32_t>(id.as_integer(0, id_bound - 1)));
  }
  return ids;
}

TemplateProcessing::Template read_template(const JsonNode& json, const JsonNode& processor,
                                           int num_texts, int32_t id_bound) {
  TemplateProcessing::Template pieces;
  for (const JsonNode& element : json.elements()) {
    TemplatePiece piece;
    if (const auto sequence = element.find("Sequence")) {
      const std::string& name = sequence->at("id").as_string();
      piece.text = name == "A" ? 0 : name == "B" ? 1 : num_texts;
      if (piece.text >= num_texts) {
        sequence->fail("sequence " + quote(name) + " is not one of the " +
                       std::to_string(num_texts) + " that this template gets");
      }
      piece.type_id = read_type_id(*sequence);
    } else {
      const JsonNode special = element.at("SpecialToken");
      piece.ids =
          read_special(processor.at("special_tokens"), special.at("id").as_string(), id_bound);
      piece.type_id = read_type_id(special);
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

std::unique_ptr<PostProcessor> make_template_processing(const JsonNode& json,
                                                        PostProcessorScope scope) {
  return std::make_unique<TemplateProcessing>(
      read_template(json.at("single"), json, 1, scope.id_bound),
      read_template(json.at("pair"), json, 2, scope.id_bound));
}

}  // namespace aios::tokenizer
