/// Tokens and their ids, both ways. Immutable once the model is loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/model_tables.h"
#include "tokenizer/prefix_trie.h"

namespace aios::tokenizer {

class JsonNode;

class Vocabulary {
 public:
  static constexpr int32_t kNone = -1;

  /// Of a text that comes twice the last id counts. `json` is where the tokens come from.
  /// @throws FormatError naming the token if an id is used twice, or is so large that the holes
  /// would dwarf the vocabulary; or if there is no token
  Vocabulary(const JsonNode& json, std::span<const ModelTables::Token> tokens);
  /// Pieces in the order of their ids; a text that comes twice is found under the last id.
  /// @throws FormatError if there is none
  Vocabulary(const JsonNode& json, std::span<const ModelTables::Piece> pieces);

  /// `kNone` if there is no such token. Views stay valid as long as the vocabulary.
  [[nodiscard]] int32_t find(std::string_view token) const noexcept;
  /// All ids of a text; more than one where the file gave it several.
  [[nodiscard]] std::vector<int32_t> find_copies(std::string_view token) const;
  /// `find` for many tokens, as many as `ids`: memory is asked for before it is needed.
  void find_all(std::span<const std::string_view> tokens, std::span<int32_t> ids) const noexcept;
  [[nodiscard]] std::optional<std::string_view> token(int32_t id) const noexcept;
  /// All tokens, equal ones in the order of their ids.
  [[nodiscard]] std::vector<PrefixTrie::Entry> entries() const;
  void save(BlockWriter& writer) const;
  /// @throws FormatError if tables do not fit each other
  static Vocabulary load(BlockReader& reader);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Largest id + 1.
  [[nodiscard]] int32_t id_bound() const noexcept { return static_cast<int32_t>(spans_.size()); }

 private:
  struct TokenSpan {
    uint32_t begin = 0;
    uint32_t size = kHole;
  };
  static constexpr uint32_t kHole = UINT32_MAX;

  struct Slot {
    uint32_t tag = 0;  // bits of the hash that the place does not tell
    int32_t id = kNone;
  };

  Vocabulary() = default;
  void allocate(std::size_t num_tokens, std::size_t id_bound, std::size_t num_bytes);
  void insert(std::string_view token, int32_t id);
  /// The slot of `token`, or the free one where it belongs.
  [[nodiscard]] std::size_t probe(std::string_view token, uint64_t hash) const noexcept;
  [[nodiscard]] std::string_view text(TokenSpan span) const noexcept {
    return {bytes_.data() + span.begin, span.size};
  }

  FlatArray<char> bytes_;       // all tokens, one after the other
  FlatArray<TokenSpan> spans_;  // by id
  FlatArray<Slot> slots_;       // open addressing; a power of two, at most two thirds full
  std::size_t size_ = 0;
  bool has_copies_ = false;    // of a text
  std::size_t num_bytes_ = 0;  // of `bytes_`, so far
};

}  // namespace aios::tokenizer
