/// The large tables of a model as its file gives them: types are checked, meanings are not.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::tokenizer {

class JsonNode;

/// Texts are borrowed from the document that they were read from.
struct ModelTables {
  struct Token {
    std::string_view text;
    int32_t id;
  };
  struct Piece {
    std::string_view text;
    double score;
  };
  using Merge = std::pair<std::string_view, std::string_view>;

  std::vector<Token> tokens;  ///< "vocab" of BPE, WordPiece and WordLevel: {"token": id, …}
  std::vector<Piece> pieces;  ///< "vocab" of Unigram: [["token", score], …]
  std::vector<Merge> merges;  ///< of BPE, the best first: ["a b", …] or [["a", "b"], …]
};

/// The two sides of a merge written "a b"; empty ones if there is not exactly one space.
[[nodiscard]] ModelTables::Merge split_merge(std::string_view text) noexcept;

/// Whether a line of merges is the comment "#version: 0.2" of merges.txt, which some converters
/// kept.
[[nodiscard]] bool is_version_line(std::string_view text) noexcept;

/// From the object "model" of tokenizer.json; which tables depends on its type.
/// @throws FormatError naming the entry
[[nodiscard]] ModelTables read_model_tables(const JsonNode& model);

}  // namespace aios::tokenizer
