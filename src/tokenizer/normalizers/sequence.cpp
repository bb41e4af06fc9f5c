/// Normalizers one after the other.
#include <utility>
#include <vector>

#include "tokenizer/json_node.h"
#include "tokenizer/normalizer.h"

namespace aios::tokenizer {
namespace {

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> parts)
      : parts_(std::move(parts)) {}

  [[nodiscard]] bool keeps(std::string_view text) const override {
    for (const auto& part : parts_) {
      if (!part->keeps(text)) return false;
    }
    return true;
  }

  void normalize(const AlignedView& input, AlignedText& output) const override {
    AlignedText current;
    current.append(input);
    for (const auto& part : parts_) {
      if (part->keeps(current.view().text())) continue;
      AlignedText next;
      part->normalize(current.view(), next);
      std::swap(current, next);
    }
    output.append(current.view());
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer_sequence(const JsonNode& json, int depth) {
  std::vector<std::unique_ptr<Normalizer>> parts;
  for (const JsonNode& part : json.at("normalizers").elements()) {
    parts.push_back(make_normalizer(part, depth + 1));
  }
  return std::make_unique<NormalizerSequence>(std::move(parts));
}

}  // namespace aios::tokenizer
