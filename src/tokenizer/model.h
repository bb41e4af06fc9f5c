/// Third stage: turns a word into tokens (tokenizer.json: "model").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace aios::tokenizer {

class BlockReader;
class BlockWriter;
class JsonNode;
struct ModelTables;

/// A token and the bytes of the word that it stands for.
struct WordToken {
  int32_t id;
  uint32_t begin, end;
};

/// Memory that a model needs while it works, kept between words.
struct ModelScratch {
  /// A token to be.
  struct Symbol {
    int32_t id;
    uint32_t size;  // bytes; 0: merged into the symbol on its left

    friend bool operator==(const Symbol&, const Symbol&) = default;
  };
  struct Neighbours {
    uint32_t previous, next;
  };
  /// The best way that ends at a byte of the word, and the token that it ends with.
  struct PathNode {
    double score;
    uint32_t begin;
    int32_t id;
  };
  std::vector<PathNode> path;
  std::vector<Symbol> symbols;
  std::vector<Symbol> window, both;  // parts of a long word
  std::vector<Neighbours> neighbours;
  std::vector<uint64_t> heap;
  std::string text;

  /// Bytes that it holds.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return path.capacity() * sizeof(PathNode) + text.capacity() +
           (symbols.capacity() + window.capacity() + both.capacity()) * sizeof(Symbol) +
           neighbours.capacity() * sizeof(Neighbours) + heap.capacity() * sizeof(uint64_t);
  }
};

/// Immutable; shared by threads.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const Vocabulary& vocabulary() const = 0;
  /// Appends the tokens of `word`, which is not empty.
  virtual void tokenize(std::string_view word, ModelScratch& scratch,
                        std::vector<WordToken>& tokens) const = 0;
  /// Writes the tables that `make_model` maps again.
  virtual void save(BlockWriter& writer) const = 0;
  /// The token for what the vocabulary lacks; `Vocabulary::kNone` if there is none.
  [[nodiscard]] virtual int32_t unknown_token() const = 0;
  /// Whether that token's text is what it stands for, and not its name.
  [[nodiscard]] virtual bool unknown_shows_text() const { return false; }
};

/// What a model sees as one character of a word.
enum class Alphabet {
  kCharacters,
  kBytes,  ///< the vocabulary writes bytes in ByteLevel's alphabet
};

/// The member "type", or what files that have none mean. @throws FormatError
[[nodiscard]] std::string model_type(const JsonNode& json);

/// Whether the model of a file can read bytes where its vocabulary has ByteLevel's letters.
[[nodiscard]] bool reads_bytes(const JsonNode& json);

struct ModelScope {
  Alphabet alphabet;
  const ModelTables& tables;  ///< of the same file; not needed once the model is made
  BlockReader* saved;         ///< what `save` wrote, instead of `tables`; or nullptr
};

/// @throws FormatError naming an unsupported type or option, or what is wrong with the tables
[[nodiscard]] std::unique_ptr<Model> make_model(const JsonNode& json, ModelScope scope);

/// One per file in models/; rows of the table in model.cpp.
[[nodiscard]] std::unique_ptr<Model> make_bpe(const JsonNode& json, ModelScope scope);
[[nodiscard]] std::unique_ptr<Model> make_unigram(const JsonNode& json, ModelScope scope);
[[nodiscard]] std::unique_ptr<Model> make_word_level(const JsonNode& json, ModelScope scope);
[[nodiscard]] std::unique_ptr<Model> make_word_piece(const JsonNode& json, ModelScope scope);

}  // namespace aios::tokenizer
