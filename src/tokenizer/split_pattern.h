/// What a text is split at: a regular expression, or its hand-written scanner where there is one.
#pragma once

#include <string_view>
#include <utility>

#include "tokenizer/regex.h"
#include "tokenizer/split_scanner.h"

namespace aios::tokenizer {

class JsonNode;

class SplitPattern {
 public:
  /// @throws FormatError as `Regex` does
  explicit SplitPattern(std::string_view expression)
      : regex_(expression), scan_(find_scanner(expression)) {}

  /// As `Regex::for_each_section`.
  template <typename Visit>
  void for_each_section(std::string_view subject, RegexScratch& scratch, Visit visit) const {
    if (scan_ == nullptr) {
      regex_.for_each_section(subject, scratch, visit);
      return;
    }
    for (uint32_t at = 0; at < subject.size();) {
      const uint32_t end = scan_(subject, at);
      visit(Span{at, end}, true);
      at = end;
    }
  }

 private:
  friend SplitPattern read_split_pattern(const JsonNode& json);
  explicit SplitPattern(Regex regex) : regex_(std::move(regex)) {}

  Regex regex_;
  SplitScanner scan_ = nullptr;
};

/// {"String": "…"} or {"Regex": "…"}. @throws FormatError
[[nodiscard]] SplitPattern read_split_pattern(const JsonNode& json);

}  // namespace aios::tokenizer
