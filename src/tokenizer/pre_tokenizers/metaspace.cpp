/// Metaspace: writes spaces as a character of their own, and cuts before it.
///
/// Source: pre_tokenizers/metaspace.rs of Hugging Face's tokenizers.
#include <string>
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/prepend_scheme.h"

namespace aios::tokenizer {
namespace {

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool cuts)
      : replacement_(std::move(replacement)), scheme_(scheme), cuts_(cuts) {}

  void split(WorkingText& text, RegexScratch&) const override {
    text.rewrite([this](const Piece& piece, const AlignedView& part, AlignedText& output) {
      if (!piece.is_text()) return output.append(part);
      if (needs_prefix(part)) output.append(replacement_, part.origin(0));
      const std::string_view bytes = part.text();
      uint32_t begin = 0;
      while (begin < bytes.size()) {
        const auto space = static_cast<uint32_t>(std::min(bytes.find(' ', begin), bytes.size()));
        if (begin < space) output.append(part.part({begin, space}));
        if (space < bytes.size()) output.append(replacement_, part.origin(space));
        begin = space + 1;
      }
    });
    if (cuts_) cut(text);
  }

 private:
  [[nodiscard]] bool needs_prefix(const AlignedView& part) const {
    if (scheme_ == PrependScheme::kNever) return false;
    if (scheme_ == PrependScheme::kFirst && start_of(part.origin(0)) != 0) return false;
    return !part.text().starts_with(' ') && !part.text().starts_with(replacement_);
  }

  /// Each replacement begins a piece, but one that another follows joins nothing.
  void cut(WorkingText& text) const {
    text.split([this](std::string_view part, auto emit) {
      std::size_t begin = 0;
      while (begin < part.size()) {
        const std::size_t end = std::min(part.find(replacement_, begin + 1), part.size());
        emit(Piece{{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}});
        begin = end;
      }
    });
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool cuts_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_metaspace(const JsonNode& json, PreTokenizerScope) {
  std::string replacement;
  append_utf8(json.at("replacement").as_character(), replacement);
  return std::make_unique<Metaspace>(std::move(replacement), read_prepend_scheme(json),
                                     json.bool_or("split", true));
}

}  // namespace aios::tokenizer
