/// Byte-pair encoding (Sennrich et al. 2016, https://aclanthology.org/P16-1162), on characters or
/// on bytes: the pair of lowest rank merges first, the leftmost of equals.
///
/// Source of the details: models/bpe/ of Hugging Face's tokenizers.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_node.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/model.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

class Bpe final : public Model {
 public:
  struct Options {
    Alphabet alphabet;
    std::string unknown;  // empty: what the vocabulary lacks is dropped
    bool ignore_merges;
  };

  Bpe(Vocabulary vocabulary, MergeTable merges, const Options& options)
      : vocabulary_(std::move(vocabulary)),
        merges_(std::move(merges)),
        options_(options),
        unknown_(vocabulary_.find(options_.unknown)) {
    for (unsigned byte = 0; byte < byte_ids_.size(); ++byte) {
      std::string letter;
      append_utf8(letter_of_byte(static_cast<unsigned char>(byte)), letter);
      byte_ids_[byte] = vocabulary_.find(letter);
    }
  }

  [[nodiscard]] const Vocabulary& vocabulary() const override { return vocabulary_; }
  [[nodiscard]] int32_t unknown_token() const override { return unknown_; }

  void tokenize(std::string_view word, ModelScratch& scratch,
                std::vector<WordToken>& tokens) const override {
    if (options_.ignore_merges) {
      if (const int32_t id = find_word(word, scratch); id != Vocabulary::kNone) {
        tokens.push_back({id, static_cast<uint32_t>(word.size())});
        return;
      }
    }
    add_symbols(word, scratch);
    merge(scratch);
    uint32_t end = 0;
    for (const ModelScratch::Symbol& symbol : scratch.symbols) {
      end += symbol.size;
      if (symbol.size > 0) tokens.push_back({symbol.id, end});
    }
  }

 private:
  [[nodiscard]] int32_t find_word(std::string_view word, ModelScratch& scratch) const {
    if (options_.alphabet == Alphabet::kCharacters) return vocabulary_.find(word);
    scratch.text.clear();
    append_letters(word, scratch.text);
    return vocabulary_.find(scratch.text);
  }

  /// One symbol for each character.
  void add_symbols(std::string_view word, ModelScratch& scratch) const {
    auto& symbols = scratch.symbols;
    symbols.clear();
    for (uint32_t at = 0; at < word.size();) {
      uint32_t size = 1;
      int32_t id = Vocabulary::kNone;
      if (options_.alphabet == Alphabet::kBytes) {
        id = byte_ids_[static_cast<unsigned char>(word[at])];
      } else {
        size = utf8_size(word[at]);
        id = vocabulary_.find(word.substr(at, size));
      }
      if (id == Vocabulary::kNone) id = unknown_for(word.substr(at, size));
      if (id != Vocabulary::kNone) {
        const auto index = static_cast<int32_t>(symbols.size());
        symbols.push_back({id, size, index - 1, index + 1});
      }
      at += size;
    }
    if (!symbols.empty()) symbols.back().next = -1;
  }

  [[nodiscard]] int32_t unknown_for(std::string_view character) const {
    if (unknown_ == Vocabulary::kNone && !options_.unknown.empty()) {
      throw TokenizerError("the vocabulary has no token for " + quote(character) +
                           ", nor the unk_token " + quote(options_.unknown) + " that replaces it");
    }
    return unknown_;
  }

  /// The heap's top has the lowest rank, then the lowest position.
  static bool comes_later(const ModelScratch::Candidate& left,
                          const ModelScratch::Candidate& right) {
    return std::pair(left.rank, left.position) > std::pair(right.rank, right.position);
  }

  /// Adds the merge of the symbol at `position` with the next one; false if there is none.
  bool add_candidate(int32_t position, ModelScratch& scratch) const {
    const ModelScratch::Symbol& left = scratch.symbols[static_cast<std::size_t>(position)];
    if (left.next < 0) return false;
    const auto& right = scratch.symbols[static_cast<std::size_t>(left.next)];
    const MergeTable::Merge* merge = merges_.find(left.id, right.id);
    if (merge == nullptr) return false;
    scratch.heap.push_back({merge->rank, static_cast<uint32_t>(position), merge->merged});
    return true;
  }

  void push_candidate(int32_t position, ModelScratch& scratch) const {
    if (!add_candidate(position, scratch)) return;
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), comes_later);
  }

  void merge(ModelScratch& scratch) const {
    auto& symbols = scratch.symbols;
    auto& heap = scratch.heap;
    heap.clear();
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      add_candidate(static_cast<int32_t>(i), scratch);
    }
    std::make_heap(heap.begin(), heap.end(), comes_later);
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), comes_later);
      const ModelScratch::Candidate top = heap.back();
      heap.pop_back();
      ModelScratch::Symbol& left = symbols[top.position];
      if (left.size == 0 || left.next < 0) continue;
      ModelScratch::Symbol& right = symbols[static_cast<std::size_t>(left.next)];
      // Either neighbour may have merged since the candidate was found.
      const MergeTable::Merge* merge = merges_.find(left.id, right.id);
      if (merge == nullptr || merge->merged != top.merged) continue;
      left.id = top.merged;
      left.size += right.size;
      left.next = right.next;
      right.size = 0;
      if (left.next >= 0) {
        symbols[static_cast<std::size_t>(left.next)].previous = static_cast<int32_t>(top.position);
      }
      if (left.previous >= 0) push_candidate(left.previous, scratch);
      push_candidate(static_cast<int32_t>(top.position), scratch);
    }
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  Options options_;
  int32_t unknown_;
  std::array<int32_t, 256> byte_ids_{};
};

/// "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> read_pair(const nlohmann::json& merge,
                                                        const JsonNode& all, std::size_t rank) {
  const auto fail = [&](const std::string& why) {
    all.inner(merge, "[" + std::to_string(rank) + "]").fail(why);
  };
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      fail("expected two tokens with one space between them, found " + quote(text));
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    fail("expected \"a b\" or [\"a\", \"b\"]");
  }
  return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
}

MergeTable read_merges(const JsonNode& json, const Vocabulary& vocabulary) {
  if (!json.value().is_array()) json.fail("expected an array of merges");
  MergeTable merges(json.value().size());
  std::size_t index = 0;
  uint32_t rank = 0;
  for (const nlohmann::json& merge : json.value()) {
    // merges.txt begins with "#version: 0.2", which some converters kept.
    if (merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version")) {
      ++index;
      continue;
    }
    const auto [left, right] = read_pair(merge, json, index);
    const auto id_of = [&](std::string_view token) {
      const int32_t id = vocabulary.find(token);
      if (id == Vocabulary::kNone) {
        json.inner(merge, "[" + std::to_string(index) + "]")
            .fail("the vocabulary lacks " + quote(token));
      }
      return id;
    };
    const int32_t left_id = id_of(left);
    const int32_t right_id = id_of(right);
    merges.insert(left_id, right_id, {rank++, id_of(std::string(left).append(right))});
    ++index;
  }
  return merges;
}

/// Options that change the result and are not implemented must have their neutral value.
void check_options(const JsonNode& json) {
  if (const auto dropout = json.find("dropout")) {
    if (!dropout->value().is_number() || dropout->value().get<double>() != 0) {
      dropout->fail("dropout is not supported: it makes tokens random");
    }
  }
  for (const char* key : {"fuse_unk", "byte_fallback"}) {
    if (json.bool_or(key, false)) json.at(key).fail("true is not supported");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const std::string affix = json.string_or(key, ""); !affix.empty()) {
      json.at(key).fail(quote(affix) + " is not supported; only empty is");
    }
  }
}

}  // namespace

std::unique_ptr<Model> make_bpe(const JsonNode& json, Alphabet alphabet) {
  check_options(json);
  Vocabulary vocabulary(json.at("vocab"));
  MergeTable merges = read_merges(json.at("merges"), vocabulary);
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(merges),
                               Bpe::Options{alphabet, json.string_or("unk_token", ""),
                                            json.bool_or("ignore_merges", false)});
}

}  // namespace aios::tokenizer
