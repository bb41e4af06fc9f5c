/// NFC and NFD.
#include "tokenizer/canonical.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class UnicodeForm final : public Normalizer {
 public:
  using Rewrite = void (*)(std::string_view text, std::vector<Change>& changes);
  using Check = bool (*)(std::string_view text) noexcept;
  UnicodeForm(Rewrite rewrite, Check check) : rewrite_(rewrite), check_(check) {}

  [[nodiscard]] bool keeps(std::string_view text) const override { return check_(text); }

  void normalize(const AlignedView& input, AlignedText& output) const override {
    if (check_(input.text())) return output.append(input);
    AlignedText text;
    text.append(input);
    std::vector<Change> changes;
    rewrite_(input.text(), changes);
    text.transform(changes, 0);
    output.append(text.view());
  }

 private:
  Rewrite rewrite_;
  Check check_;
};

}  // namespace

std::unique_ptr<Normalizer> make_nfc(const JsonNode&, int) {
  return std::make_unique<UnicodeForm>(compose_canonically, is_surely_nfc);
}

std::unique_ptr<Normalizer> make_nfd(const JsonNode&, int) {
  return std::make_unique<UnicodeForm>(decompose_canonically, is_surely_nfd);
}

}  // namespace aios::tokenizer
