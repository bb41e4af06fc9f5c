/// BertPreTokenizer: words end at white space, which is dropped, and at punctuation, which stands
/// alone.
#include <array>

#include "tokenizer/json_node.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class BertPreTokenizer final : public PreTokenizer {
 public:
  BertPreTokenizer() {
    for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = character_flags(c);
  }

  void split(WorkingText& text, RegexScratch&) const override {
    text.split([this](std::string_view part, auto emit) {
      uint32_t word = 0;  // start of the word under way
      for (uint32_t at = 0; at < part.size();) {
        const Character character = decode_utf8(part.data() + at);
        const uint16_t flags = character.code_point < ascii_.size()
                                   ? ascii_[character.code_point]
                                   : character_flags(character.code_point);
        const uint32_t next = at + character.size;
        if ((flags & (kWhiteSpaceFlag | kBertPunctuationFlag)) != 0) {
          emit(Piece{{word, at}});
          if ((flags & kBertPunctuationFlag) != 0) emit(Piece{{at, next}});
          word = next;
        }
        at = next;
      }
      emit(Piece{{word, static_cast<uint32_t>(part.size())}});
    });
  }

 private:
  std::array<uint16_t, 128> ascii_{};
};

}  // namespace

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer(const JsonNode&, PreTokenizerScope) {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace aios::tokenizer
