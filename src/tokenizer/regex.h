/// Regular expressions of tokenizer files, run by PCRE2's JIT compiler.
///
/// The files are written for Oniguruma (Ruby syntax, Unicode 16), as Hugging Face's library runs
/// it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/aligned_text.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {

/// What one thread needs to run expressions; reusable for any of them. Memory is taken when the
/// first expression runs.
class RegexScratch {
 public:
  RegexScratch() noexcept;
  ~RegexScratch();
  RegexScratch(const RegexScratch&) = delete;
  RegexScratch& operator=(const RegexScratch&) = delete;

 private:
  friend class Regex;
  struct State;
  std::unique_ptr<State> state_;
};

class Regex {
 public:
  /// `pattern` in Oniguruma's syntax. @throws FormatError quoting the construct that cannot be
  /// translated, or PCRE2's complaint
  explicit Regex(std::string_view pattern);
  /// An expression that matches `text` itself.
  static Regex literal(std::string_view text);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// The first match in `subject` that starts at `from` or later. Valid UTF-8 only; no allocation.
  /// @throws TokenizerError if PCRE2's limits are exceeded
  [[nodiscard]] std::optional<Span> find(std::string_view subject, std::size_t from,
                                         RegexScratch& scratch) const;

  /// Calls `visit(span, is_match)` for all matches and for what lies between them, in order, so
  /// that every byte of `subject` is visited once. A match may be empty, but not where the last one
  /// ended (the iteration of Oniguruma's Rust binding).
  template <typename Visit>
  void for_each_section(std::string_view subject, RegexScratch& scratch, Visit visit) const;

 private:
  struct Code;
  Regex() noexcept;
  std::unique_ptr<Code> code_;  // nullptr: matches `literal_`
  std::string literal_;
};

template <typename Visit>
void Regex::for_each_section(std::string_view subject, RegexScratch& scratch, Visit visit) const {
  uint32_t covered = 0;
  std::size_t from = 0;
  bool skip_empty = false;  // an empty match at `from` has been visited, or a match ended there
  while (from <= subject.size() && !subject.empty()) {
    const std::optional<Span> match = find(subject, from, scratch);
    if (!match) break;
    if (match->begin == match->end && skip_empty && match->end == covered) {
      if (from == subject.size()) break;
      from += utf8_size(subject[from]);
      continue;
    }
    if (covered != match->begin) visit(Span{covered, match->begin}, false);
    visit(*match, true);
    covered = match->end;
    from = match->end;
    skip_empty = true;
  }
  const auto size = static_cast<uint32_t>(subject.size());
  if (covered != size) visit(Span{covered, size}, false);
}

class JsonNode;

/// {"String": "…"} or {"Regex": "…"}. @throws FormatError
[[nodiscard]] Regex read_pattern(const JsonNode& json);

/// The PCRE2 expression (for PCRE2_UTF and PCRE2_UCP) that matches what `pattern` matches in
/// Oniguruma. @throws FormatError quoting the first construct that has no equal
[[nodiscard]] std::string translate_oniguruma(std::string_view pattern);

}  // namespace aios::tokenizer
