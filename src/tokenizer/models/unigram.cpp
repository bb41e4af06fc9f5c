/// Unigram: the likeliest cut of a word into tokens (Kudo 2018, https://aclanthology.org/P18-1007),
/// found by the Viterbi algorithm.
///
/// Source of the details: models/unigram/model.rs of Hugging Face's tokenizers, `encode_optimized`.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/byte_tokens.h"
#include "tokenizer/json_node.h"
#include "tokenizer/model.h"
#include "tokenizer/model_tables.h"
#include "tokenizer/prefix_trie.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

constexpr double kUnknownPenalty = 10;  // below the least likely token

class Unigram final : public Model {
 public:
  Unigram(Vocabulary vocabulary, FlatArray<double> scores, PrefixTrie trie, int32_t unknown,
          bool byte_fallback, std::optional<double> unknown_score)
      : vocabulary_(std::move(vocabulary)),
        scores_(std::move(scores)),
        unknown_(unknown),
        trie_(std::move(trie)) {
    if (byte_fallback) byte_tokens_.emplace(vocabulary_);
    double lowest = std::numeric_limits<double>::infinity();
    for (const double score : scores_.view()) lowest = std::min(lowest, score);
    unknown_score_ = unknown_score.value_or(lowest - kUnknownPenalty);
  }

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }
  [[nodiscard]] bool unknown_shows_text() const override { return true; }

  void save(BlockWriter& writer) const override {
    vocabulary_.save(writer);
    writer.add(scores_.view());
    trie_.save(writer);
  }

  void tokenize(std::string_view word, ModelScratch& scratch,
                std::vector<WordToken>& tokens) const override {
    find_best_path(word, scratch.path);
    // Backwards; neighbouring unknown characters are one.
    const auto first = static_cast<std::ptrdiff_t>(tokens.size());
    WordToken unknown{unknown_, 0, 0};  // not empty: waits for what is before it
    for (auto end = static_cast<uint32_t>(word.size()); end > 0;) {
      const ModelScratch::PathNode& node = scratch.path[end];
      if (node.id == unknown_) {
        unknown = {unknown_, node.begin, unknown.end > 0 ? unknown.end : end};
      } else {
        append_unknown(word, std::exchange(unknown, {unknown_, 0, 0}), tokens);
        tokens.push_back({node.id, node.begin, end});
      }
      end = node.begin;
    }
    append_unknown(word, unknown, tokens);
    std::reverse(tokens.begin() + first, tokens.end());
  }

 private:
  void find_best_path(std::string_view word, std::vector<ModelScratch::PathNode>& path) const {
    constexpr uint32_t kUnreached = UINT32_MAX;
    path.assign(word.size() + 1, {0, kUnreached, Vocabulary::kNone});
    const auto offer = [&](uint32_t begin, uint32_t end, double score, int32_t id) {
      ModelScratch::PathNode& node = path[end];
      if (node.begin == kUnreached || score > node.score) node = {score, begin, id};
    };
    for (uint32_t begin = 0; begin < word.size();) {
      const double score = path[begin].score;
      const uint32_t next = begin + utf8_size(word[begin]);
      bool is_known = false;  // the character by itself
      uint32_t node = PrefixTrie::kRoot;
      for (uint32_t at = begin; at < word.size() && trie_.step(node, word[at]); ++at) {
        const int32_t id = trie_.value(node);
        if (id == PrefixTrie::kNone) continue;
        offer(begin, at + 1, score + scores_[static_cast<std::size_t>(id)], id);
        is_known = is_known || at + 1 == next;
      }
      if (!is_known) {
        if (unknown_ == Vocabulary::kNone) refuse(word.substr(begin, next - begin));
        offer(begin, next, score + unknown_score_, unknown_);
      }
      begin = next;
    }
  }

  /// Unknown text may spell a token after all, or be written in bytes, the last one first.
  void append_unknown(std::string_view word, WordToken token,
                      std::vector<WordToken>& tokens) const {
    if (token.end == 0) return;
    const std::string_view text = word.substr(token.begin, token.end - token.begin);
    const int32_t id = vocabulary_.find(text);
    if (id == Vocabulary::kNone && byte_tokens_ && byte_tokens_->has_all(text)) {
      // Each byte comes from the whole text.
      for (auto byte = text.rbegin(); byte != text.rend(); ++byte) {
        tokens.push_back({(*byte_tokens_)[*byte], token.begin, token.end});
      }
      return;
    }
    if (id != Vocabulary::kNone) token.id = id;
    tokens.push_back(token);
  }

  [[noreturn]] static void refuse(std::string_view character) {
    throw TokenizerError("the vocabulary has no token for " + quote(character) +
                         ", nor an unk_id that replaces it");
  }

  Vocabulary vocabulary_;
  FlatArray<double> scores_;  // by id
  double unknown_score_ = 0;
  int32_t unknown_;
  PrefixTrie trie_;
  std::optional<ByteTokens> byte_tokens_;
};

FlatArray<double> scores_of(std::span<const ModelTables::Piece> pieces) {
  std::vector<double> scores;
  scores.reserve(pieces.size());
  for (const ModelTables::Piece& piece : pieces) scores.push_back(piece.score);
  return FlatArray(std::move(scores));
}

}  // namespace

std::unique_ptr<Model> make_unigram(const JsonNode& json, ModelScope scope) {
  Vocabulary vocabulary = scope.saved != nullptr
                              ? Vocabulary::load(*scope.saved)
                              : Vocabulary(json.at("vocab"), scope.tables.pieces);
  FlatArray<double> scores =
      scope.saved != nullptr ? scope.saved->next<double>() : scores_of(scope.tables.pieces);
  BlockReader::require(scores.size() == static_cast<std::size_t>(vocabulary.id_bound()));
  PrefixTrie trie = scope.saved != nullptr ? PrefixTrie::load(*scope.saved, vocabulary.id_bound())
                                           : PrefixTrie(vocabulary.entries());
  int32_t unknown = Vocabulary::kNone;
  if (const auto id = json.find("unk_id")) {
    unknown = static_cast<int32_t>(id->as_integer(0, int64_t{vocabulary.id_bound()} - 1));
  }
  // Not of Hugging Face: SentencePiece does not take the lowest score of all pieces.
  std::optional<double> unknown_score;
  if (const auto score = json.find("unk_score")) unknown_score = score->as_number();
  return std::make_unique<Unigram>(std::move(vocabulary), std::move(scores), std::move(trie),
                                   unknown, json.bool_or("byte_fallback", false), unknown_score);
}

}  // namespace aios::tokenizer
