/// A tokenizer.json, parsed: the large tables of its model apart from the rest.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tokenizer/model_tables.h"

namespace aios::tokenizer {

class ParsedTokenizer {
 public:
  /// @throws FormatError naming `file` and the byte, or the place in the document
  static ParsedTokenizer parse(std::string_view text, const std::string& file);
  /// A document that was put together.
  ParsedTokenizer(nlohmann::json document, const std::string& file);
  ParsedTokenizer(ParsedTokenizer&&) noexcept;
  ParsedTokenizer& operator=(ParsedTokenizer&&) noexcept;
  ~ParsedTokenizer();

  /// All of it, but perhaps for the entries of "vocab" and "merges".
  [[nodiscard]] const nlohmann::json& rest() const noexcept { return rest_; }
  /// Valid as long as the document.
  [[nodiscard]] const ModelTables& tables() const noexcept { return tables_; }

 private:
  ParsedTokenizer() = default;
  struct Parsed;
  /// False, and parts of the members filled, if the document is not as expected.
  bool parse_quickly(std::string_view text);

  std::unique_ptr<Parsed> parsed_;  // owns the texts of `tables_`; nullptr: `rest_` does
  nlohmann::json rest_;
  ModelTables tables_;
};

}  // namespace aios::tokenizer
