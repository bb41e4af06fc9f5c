/// WordLevel: a word is a token, or unknown.
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/json_node.h"
#include "tokenizer/model.h"
#include "tokenizer/model_tables.h"

namespace aios::tokenizer {
namespace {

class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string unknown)
      : vocabulary_(std::move(vocabulary)),
        unknown_text_(std::move(unknown)),
        unknown_(vocabulary_.find(unknown_text_)) {}

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }

  void save(BlockWriter& writer) const override { vocabulary_.save(writer); }

  void tokenize(std::string_view word, ModelScratch&,
                std::vector<WordToken>& tokens) const override {
    int32_t id = vocabulary_.find(word);
    if (id == Vocabulary::kNone) id = unknown_;
    if (id == Vocabulary::kNone) {
      throw TokenizerError("the vocabulary has no token for " + quote(word) +
                           ", nor the unk_token " + quote(unknown_text_) + " that replaces it");
    }
    tokens.push_back({id, 0, static_cast<uint32_t>(word.size())});
  }

 private:
  Vocabulary vocabulary_;
  std::string unknown_text_;
  int32_t unknown_;
};

}  // namespace

std::unique_ptr<Model> make_word_level(const JsonNode& json, ModelScope scope) {
  Vocabulary vocabulary = scope.saved != nullptr
                              ? Vocabulary::load(*scope.saved)
                              : Vocabulary(json.at("vocab"), scope.tables.tokens);
  return std::make_unique<WordLevel>(std::move(vocabulary), json.string_or("unk_token", "<unk>"));
}

}  // namespace aios::tokenizer
