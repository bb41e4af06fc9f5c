/// WordPiece: the longest token that the word begins with, then the longest continuation, and so
/// on; a word that cannot be covered is unknown as a whole.
///
/// Source: models/wordpiece/ of Hugging Face's tokenizers.
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/json_node.h"
#include "tokenizer/model.h"
#include "tokenizer/model_tables.h"
#include "tokenizer/prefix_trie.h"
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

  WordPiece(Vocabulary vocabulary, PrefixTrie trie, Options options)
      : vocabulary_(std::move(vocabulary)),
        options_(std::move(options)),
        unknown_(vocabulary_.find(options_.unknown)),
        trie_(std::move(trie)) {
    uint32_t node = PrefixTrie::kRoot;
    bool found = true;
    for (const char byte : options_.continuing_prefix) found = found && trie_.step(node, byte);
    if (found) continuation_ = node;
  }

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }

  void save(BlockWriter& writer) const override {
    vocabulary_.save(writer);
    trie_.save(writer);
  }

  void tokenize(std::string_view word, ModelScratch&,
                std::vector<WordToken>& tokens) const override {
    const std::size_t before = tokens.size();
    if (num_characters(word) <= options_.max_characters && cover(word, tokens)) return;
    tokens.resize(before);
    if (unknown_ == Vocabulary::kNone) {
      throw TokenizerError("the vocabulary has no tokens for " + quote(word) +
                           ", nor the unk_token " + quote(options_.unknown) + " that replaces it");
    }
    tokens.push_back({unknown_, 0, static_cast<uint32_t>(word.size())});
  }

 private:
  static int64_t num_characters(std::string_view word) {
    int64_t count = 0;
    for (const char byte : word) count += is_continuation(byte) ? 0 : 1;
    return count;
  }

  /// False if some part has no token.
  bool cover(std::string_view word, std::vector<WordToken>& tokens) const {
    for (uint32_t begin = 0; begin < word.size();) {
      if (begin > 0 && !continuation_) return false;
      uint32_t node = begin == 0 ? PrefixTrie::kRoot : *continuation_;
      WordToken longest{Vocabulary::kNone, begin, begin};
      for (uint32_t at = begin; at < word.size() && trie_.step(node, word[at]); ++at) {
        if (trie_.value(node) != PrefixTrie::kNone) longest = {trie_.value(node), begin, at + 1};
      }
      if (longest.id == Vocabulary::kNone) return false;
      tokens.push_back(longest);
      begin = longest.end;
    }
    return true;
  }

  Vocabulary vocabulary_;
  Options options_;
  int32_t unknown_;
  PrefixTrie trie_;
  std::optional<uint32_t> continuation_;  // where words go on; nothing: no token continues one
};

}  // namespace

std::unique_ptr<Model> make_word_piece(const JsonNode& json, ModelScope scope) {
  Vocabulary vocabulary = scope.saved != nullptr
                              ? Vocabulary::load(*scope.saved)
                              : Vocabulary(json.at("vocab"), scope.tables.tokens);
  PrefixTrie trie = scope.saved != nullptr ? PrefixTrie::load(*scope.saved, vocabulary.id_bound())
                                           : PrefixTrie(vocabulary.entries());
  const auto limit = json.find("max_input_chars_per_word");
  return std::make_unique<WordPiece>(
      std::move(vocabulary), std::move(trie),
      WordPiece::Options{json.string_or("unk_token", "[UNK]"),
                         json.string_or("continuing_subword_prefix", "##"),
                         limit ? limit->as_integer(0, std::numeric_limits<int64_t>::max()) : 100});
}

}  // namespace aios::tokenizer
