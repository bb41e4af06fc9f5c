/// What a text is split at: a regular expression, or its hand-written scanner where there is one.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "tokenizer/regex.h"
#include "tokenizer/split_scanner.h"

namespace aios::tokenizer {

class JsonNode;

class SplitPattern {
 public:
  explicit SplitPattern(SplitScanner scan) : pattern_(scan) {}
  explicit SplitPattern(Regex regex) : pattern_(std::move(regex)) {}

  /// As `Regex::for_each_section`.
  template <typename Visit>
  void for_each_section(std::string_view subject, RegexScratch& scratch, Visit visit) const {
    if (const auto* const regex = std::get_if<Regex>(&pattern_)) {
      regex->for_each_section(subject, scratch, visit);
      return;
    }
    const SplitScanner scan = *std::get_if<SplitScanner>(&pattern_);
    for (uint32_t at = 0; at < subject.size();) {
      const uint32_t end = scan(subject, at);
      visit(Span{at, end}, true);
      at = end;
    }
  }

 private:
  std::variant<SplitScanner, Regex> pattern_;
};

/// {"String": "…"} or {"Regex": "…"}. @throws FormatError
[[nodiscard]] SplitPattern read_split_pattern(const JsonNode& json);

}  // namespace aios::tokenizer
