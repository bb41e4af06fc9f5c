/// How a SentencePiece model's text is cut before its merges run: user-defined pieces are tokens
/// already (bpe_model.cc, `freeze`), and where no piece has a space mark behind its first letter,
/// words can be looked at one by one.
#include <utility>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/text_trie.h"

namespace aios::tokenizer {
namespace {

class SentencePieceSplit final : public PreTokenizer {
 public:
  SentencePieceSplit(TextTrie symbols, bool cuts) : symbols_(std::move(symbols)), cuts_(cuts) {}

  void split(WorkingText& text, RegexScratch&) const override {
    if (!symbols_.empty()) isolate_symbols(text);
    if (cuts_) cut(text);
  }

 private:
  void isolate_symbols(WorkingText& text) const {
    text.split([this](std::string_view part, auto emit) {
      std::size_t begin = 0;
      while (begin < part.size()) {
        const TextTrie::Match match = symbols_.find(part, begin);
        emit(Piece{{static_cast<uint32_t>(begin), static_cast<uint32_t>(match.begin)}});
        if (match.value != TextTrie::kNone) {
          emit(Piece{{static_cast<uint32_t>(match.begin), static_cast<uint32_t>(match.end)},
                     match.value});
        }
        begin = match.end;
      }
    });
  }

  /// A word is a run of marks and what follows it.
  static void cut(WorkingText& text) {
    text.split([](std::string_view part, auto emit) {
      std::size_t begin = 0;
      while (begin < part.size()) {
        std::size_t end = begin;
        while (part.substr(end).starts_with(kMark)) end += kMark.size();
        end = std::min(part.find(kMark, end), part.size());
        emit(Piece{{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}});
        begin = end;
      }
    });
  }

  static constexpr std::string_view kMark = "\u2581";

  TextTrie symbols_;
  bool cuts_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_sentence_piece_split(const JsonNode& json,
                                                        PreTokenizerScope scope) {
  TextTrie symbols;
  if (const auto table = json.find("user_defined")) {
    for (const auto& [text, id] : table->value().items()) {
      const JsonNode node = table->inner(id, "[" + quote(text) + "]");
      const auto value = static_cast<int32_t>(node.as_integer(0, scope.vocabulary_size - 1));
      if (!text.empty()) symbols.insert(text, value);
    }
  }
  return std::make_unique<SentencePieceSplit>(std::move(symbols), json.bool_or("split", false));
}

}  // namespace aios::tokenizer
