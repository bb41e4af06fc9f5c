/// NFC, NFD, NFKC and NFKD.
#include "tokenizer/canonical.h"
#include "tokenizer/changes.h"
#include "tokenizer/normalizer.h"

namespace aios::tokenizer {
namespace {

class UnicodeForm final : public ChangingNormalizer {
 public:
  using Rewrite = void (*)(std::string_view text, std::vector<Change>& changes);
  using Check = bool (*)(std::string_view text) noexcept;
  UnicodeForm(Rewrite rewrite, Check check)
      : ChangingNormalizer(inert_bytes([](unsigned) { return true; })),
        rewrite_(rewrite),
        check_(check) {}

  [[nodiscard]] bool keeps(std::string_view text) const override { return check_(text); }

 private:
  std::size_t change(std::string_view text, std::vector<Change>& changes) const override {
    rewrite_(text, changes);
    return 0;
  }

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

std::unique_ptr<Normalizer> make_nfkc(const JsonNode&, int) {
  return std::make_unique<UnicodeForm>(compose_compatibly, is_surely_nfkc);
}

std::unique_ptr<Normalizer> make_nfkd(const JsonNode&, int) {
  return std::make_unique<UnicodeForm>(decompose_compatibly, is_surely_nfkd);
}

}  // namespace aios::tokenizer
