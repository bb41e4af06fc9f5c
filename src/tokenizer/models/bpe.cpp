/// Byte-pair encoding (Sennrich et al. 2016, https://aclanthology.org/P16-1162), on characters or
/// on bytes: the pair of lowest rank merges first, the leftmost of equals.
///
/// Source of the details: models/bpe/ of Hugging Face's tokenizers.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_tokens.h"
#include "tokenizer/json_node.h"
#include "tokenizer/merge_symbols.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/model.h"
#include "tokenizer/model_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class Bpe final : public Model {
 public:
  struct Options {
    Alphabet alphabet;
    std::string unknown;  // empty: what the vocabulary lacks is dropped
    std::string continuing_prefix, end_suffix;
    bool ignore_merges, fuse_unknown, byte_fallback;
  };

  Bpe(Vocabulary vocabulary, MergeTable merges, Options options)
      : vocabulary_(std::move(vocabulary)),
        merges_(std::move(merges)),
        options_(std::move(options)),
        unknown_(vocabulary_.find(options_.unknown)),
        has_affixes_(!options_.continuing_prefix.empty() || !options_.end_suffix.empty()) {
    if (options_.byte_fallback) byte_tokens_.emplace(vocabulary_);
    for (unsigned byte = 0; byte < byte_ids_.size(); ++byte) {
      std::string letter;
      append_utf8(letter_of_byte(static_cast<unsigned char>(byte)), letter);
      byte_ids_[byte] = vocabulary_.find(letter);
    }
  }

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }

  void save(BlockWriter& writer) const override {
    vocabulary_.save(writer);
    merges_.save(writer);
  }

  void tokenize(std::string_view word, ModelScratch& scratch,
                std::vector<WordToken>& tokens) const override {
    if (options_.ignore_merges) {
      if (const int32_t id = find_word(word, scratch); id != Vocabulary::kNone) {
        tokens.push_back({id, 0, static_cast<uint32_t>(word.size())});
        return;
      }
    }
    add_symbols(word, scratch);
    merge_symbols(merges_, scratch, tokens);
  }

 private:
  [[nodiscard]] int32_t find_word(std::string_view word, ModelScratch& scratch) const {
    if (options_.alphabet == Alphabet::kCharacters) return vocabulary_.find(word);
    scratch.text.clear();
    append_letters(word, scratch.text);
    return vocabulary_.find(scratch.text);
  }

  static void add_symbol(int32_t id, uint32_t size, ModelScratch& scratch) {
    scratch.symbols.push_back({id, size});
  }

  /// One symbol for each character.
  void add_symbols(std::string_view word, ModelScratch& scratch) const {
    scratch.symbols.clear();
    uint32_t unknown_size = 0;  // of unknown text that waits for what follows
    for (uint32_t at = 0; at < word.size();) {
      const uint32_t size = options_.alphabet == Alphabet::kBytes ? 1 : utf8_size(word[at]);
      const int32_t id = find_character(word, at, size, scratch);
      if (id != Vocabulary::kNone) {
        if (unknown_size > 0) add_symbol(unknown_, std::exchange(unknown_size, 0), scratch);
        add_symbol(id, size, scratch);
      } else if (!add_bytes(word.substr(at, size), scratch) &&
                 unknown_for(word.substr(at, size)) != Vocabulary::kNone) {
        if (unknown_size > 0 && !options_.fuse_unknown) {
          add_symbol(unknown_, std::exchange(unknown_size, 0), scratch);
        }
        unknown_size += size;
      }
      at += size;
    }
    if (unknown_size > 0) add_symbol(unknown_, unknown_size, scratch);
  }

  /// The token of one character, written with the affixes of its place in the word.
  [[nodiscard]] int32_t find_character(std::string_view word, uint32_t at, uint32_t size,
                                       ModelScratch& scratch) const {
    if (options_.alphabet == Alphabet::kBytes) {
      return byte_ids_[static_cast<unsigned char>(word[at])];
    }
    if (!has_affixes_) return vocabulary_.find(word.substr(at, size));
    scratch.text.assign(at == 0 ? "" : options_.continuing_prefix);
    scratch.text += word.substr(at, size);
    if (at + size == word.size()) scratch.text += options_.end_suffix;
    return vocabulary_.find(scratch.text);
  }

  /// Spells a character in byte tokens, its affixes too; false if some are missing.
  bool add_bytes(std::string_view character, ModelScratch& scratch) const {
    if (!byte_tokens_) return false;
    const std::string_view spelled = has_affixes_ ? std::string_view(scratch.text) : character;
    if (!byte_tokens_->has_all(spelled)) return false;
    for (const char byte : spelled) add_symbol((*byte_tokens_)[byte], 1, scratch);
    return true;
  }

  [[nodiscard]] int32_t unknown_for(std::string_view character) const {
    if (unknown_ == Vocabulary::kNone && !options_.unknown.empty()) {
      throw TokenizerError("the vocabulary has no token for " + quote(character) +
                           ", nor the unk_token " + quote(options_.unknown) + " that replaces it");
    }
    return unknown_;
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  Options options_;
  int32_t unknown_;
  bool has_affixes_;
  std::array<int32_t, 256> byte_ids_{};
  std::optional<ByteTokens> byte_tokens_;
};

/// From merges of texts to merges of ids, block by block, so that look-ups overlap.
class MergeReader {
 public:
  /// `json` is where the merges come from. The right side of a merge loses its first `prefix_size`
  /// bytes, the continuing prefix.
  MergeReader(JsonNode json, const Vocabulary& vocabulary, std::size_t prefix_size)
      : json_(std::move(json)), vocabulary_(vocabulary), prefix_size_(prefix_size) {}

  /// @param ranks one for each merge; empty: the first merges first
  MergeTable read(std::span<const ModelTables::Merge> merges, std::span<const uint32_t> ranks) {
    MergeTableBuilder table(merges.size());
    for (std::size_t first = 0; first < merges.size(); first += kBlock) {
      const auto block = merges.subspan(first, std::min(kBlock, merges.size() - first));
      find_sides(block, first);
      for (std::size_t i = 0; i < block.size(); ++i) table.prefetch(ids_[2 * i], ids_[2 * i + 1]);
      for (std::size_t i = 0; i < block.size(); ++i) {
        const int32_t merged = find_merged(block[i], first + i);
        const uint32_t rank = ranks.empty() ? static_cast<uint32_t>(first + i) : ranks[first + i];
        table.insert(ids_[2 * i], ids_[2 * i + 1], {rank, merged});
      }
    }
    return std::move(table).finish();
  }

 private:
  static constexpr std::size_t kBlock = 64;

  [[noreturn]] void fail(std::size_t rank, const std::string& why) const {
    json_.inner(json_.value(), "[" + std::to_string(rank) + "]").fail(why);
  }

  void find_sides(std::span<const ModelTables::Merge> block, std::size_t first) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      texts_[2 * i] = block[i].first;
      texts_[2 * i + 1] = block[i].second;
    }
    const std::size_t count = 2 * block.size();
    vocabulary_.find_all(std::span(texts_).first(count), std::span(ids_).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      if (ids_[i] == Vocabulary::kNone) {
        fail(first + i / 2, "the vocabulary lacks " + quote(texts_[i]));
      }
    }
  }

  int32_t find_merged(const ModelTables::Merge& merge, std::size_t rank) {
    if (merge.second.size() < prefix_size_) {
      fail(rank, quote(merge.second) + " lacks the continuing_subword_prefix");
    }
    merged_.assign(merge.first).append(merge.second.substr(prefix_size_));
    // Most trainers number tokens as they merge them.
    const int32_t id =
        vocabulary_.token(expected_) == merged_ ? expected_ : vocabulary_.find(merged_);
    if (id == Vocabulary::kNone) fail(rank, "the vocabulary lacks " + quote(merged_));
    expected_ = id + 1;
    return id;
  }

  JsonNode json_;
  const Vocabulary& vocabulary_;
  std::size_t prefix_size_;
  std::array<std::string_view, 2 * kBlock> texts_;
  std::array<int32_t, 2 * kBlock> ids_{};
  std::string merged_;
  int32_t expected_ = 0;
};

/// Not of Hugging Face: SentencePiece and tiktoken give all merges into one token the same rank.
std::vector<uint32_t> read_ranks(const JsonNode& model, std::size_t num_merges) {
  std::vector<uint32_t> ranks;
  const auto stored = model.find("ranks");
  if (!stored) return ranks;
  for (const JsonNode& rank : stored->elements()) {
    ranks.push_back(static_cast<uint32_t>(rank.as_integer(0, MergeTable::kMaxRank)));
  }
  if (ranks.size() != num_merges) stored->fail("expected one rank for each merge");
  return ranks;
}

void check_dropout(const JsonNode& json) {
  const auto dropout = json.find("dropout");
  if (dropout && dropout->as_number() != 0) {
    dropout->fail("dropout is not supported: it makes tokens random");
  }
}

}  // namespace

std::unique_ptr<Model> make_bpe(const JsonNode& json, ModelScope scope) {
  check_dropout(json);
  Bpe::Options options{scope.alphabet,
                       json.string_or("unk_token", ""),
                       json.string_or("continuing_subword_prefix", ""),
                       json.string_or("end_of_word_suffix", ""),
                       json.bool_or("ignore_merges", false),
                       json.bool_or("fuse_unk", false),
                       json.bool_or("byte_fallback", false)};
  Vocabulary vocabulary = scope.saved != nullptr
                              ? Vocabulary::load(*scope.saved)
                              : Vocabulary(json.at("vocab"), scope.tables.tokens);
  const std::vector<uint32_t> ranks = read_ranks(json, scope.tables.merges.size());
  MergeTable merges = scope.saved != nullptr ? MergeTable::load(*scope.saved, vocabulary.id_bound())
                                             : MergeReader(json.at("merges"), vocabulary,
                                                           options.continuing_prefix.size())
                                                   .read(scope.tables.merges, ranks);
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(options));
}

}  // namespace aios::tokenizer
