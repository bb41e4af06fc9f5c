/// WordPiece: the longest token that the word begins with, then the longest continuation, and so
/// on; a word that cannot be covered is unknown as a whole.
///
/// Source: models/wordpiece/ of Hugging Face's tokenizers.
#include <limits>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/json_node.h"
#include "tokenizer/model.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class WordPiece final : public Model {
 public:
  struct Options {
    std::string unknown;
    std::string continuing_prefix;
    int64_t max_characters;
  };

  WordPiece(Vocabulary vocabulary, Options options)
      : vocabulary_(std::move(vocabulary)),
        options_(std::move(options)),
        unknown_(vocabulary_.find(options_.unknown)) {}

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }

  void tokenize(std::string_view word, ModelScratch& scratch,
                std::vector<WordToken>& tokens) const override {
    const std::size_t before = tokens.size();
    if (num_characters(word) <= options_.max_characters && cover(word, scratch, tokens)) return;
    tokens.resize(before);
    if (unknown_ == Vocabulary::kNone) {
      throw TokenizerError("the vocabulary has no tokens for " + quote(word) +
                           ", nor the unk_token " + quote(options_.unknown) + " that replaces it");
    }
    tokens.push_back({unknown_, static_cast<uint32_t>(word.size())});
  }

 private:
  static int64_t num_characters(std::string_view word) {
    int64_t count = 0;
    for (const char byte : word) count += is_continuation(byte) ? 0 : 1;
    return count;
  }

  /// False if some part has no token.
  bool cover(std::string_view word, ModelScratch& scratch, std::vector<WordToken>& tokens) const {
    std::string& candidate = scratch.text;
    for (std::size_t begin = 0; begin < word.size();) {
      candidate.assign(begin == 0 ? "" : options_.continuing_prefix);
      const std::size_t prefix = candidate.size();
      candidate += word.substr(begin);
      int32_t id = vocabulary_.find(candidate);
      while (id == Vocabulary::kNone) {
        while (is_continuation(candidate.back())) candidate.pop_back();
        candidate.pop_back();
        if (candidate.size() <= prefix) return false;
        id = vocabulary_.find(candidate);
      }
      begin += candidate.size() - prefix;
      tokens.push_back({id, static_cast<uint32_t>(begin)});
    }
    return true;
  }

  Vocabulary vocabulary_;
  Options options_;
  int32_t unknown_;
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const JsonNode& json, Alphabet alphabet) {
  if (alphabet == Alphabet::kBytes) json.fail("WordPiece after ByteLevel is not supported");
  Vocabulary vocabulary(json.at("vocab"));
  const auto limit = json.find("max_input_chars_per_word");
  return std::make_unique<WordPiece>(
      std::move(vocabulary),
      WordPiece::Options{json.string_or("unk_token", "[UNK]"),
                         json.string_or("continuing_subword_prefix", "##"),
                         limit ? limit->as_integer(0, std::numeric_limits<int64_t>::max()) : 100});
}

}  // namespace aios::tokenizer
