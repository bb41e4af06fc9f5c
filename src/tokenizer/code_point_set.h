/// Sets of characters, for classes of regular expressions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/unicode_tables.h"

namespace aios::tokenizer {

class CodePointSet {
 public:
  void add(char32_t first, char32_t last) { ranges_.push_back({first, last}); }
  void add(const CodePointSet& other);
  [[nodiscard]] CodePointSet complement() const;
  [[nodiscard]] CodePointSet intersection(const CodePointSet& other) const;
  /// The character of a set of one.
  [[nodiscard]] std::optional<char32_t> single() const;
  /// The inside of a PCRE2 character class; empty if the set is.
  [[nodiscard]] std::string to_class() const;

  /// \p{name} as Oniguruma has it: a general category ("L", "Nd") or a script ("Han"); nothing if
  /// the name is not known.
  [[nodiscard]] static std::optional<CodePointSet> property(std::string_view name);
  /// \s and \w as Oniguruma has them.
  [[nodiscard]] static CodePointSet spaces();
  [[nodiscard]] static CodePointSet word_characters();
  /// Inside a class Oniguruma takes \w below U+0100 from Latin-1: without superscripts and
  /// fractions.
  [[nodiscard]] static CodePointSet word_characters_of_classes();

 private:
  /// Sorted, without overlaps.
  [[nodiscard]] std::vector<CodePointRange> sorted() const;

  std::vector<CodePointRange> ranges_;
};

/// Reads a class of Oniguruma's Ruby syntax, "[…]" with nested classes and "&&", at the start of
/// `pattern`, which then begins behind it. Nothing if the class has something unknown.
[[nodiscard]] std::optional<CodePointSet> read_class(std::string_view& pattern);

/// Reads an escape at the start of `pattern`, "\p{L}", "\n", "\x{41}"; as `read_class`.
[[nodiscard]] std::optional<CodePointSet> read_escape(std::string_view& pattern);

}  // namespace aios::tokenizer
