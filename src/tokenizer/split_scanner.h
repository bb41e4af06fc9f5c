/// Hand-written scanners for the split patterns that most byte-level tokenizers share.
///
/// Each pattern matches at every place of every text, so that a scanner only says where the match
/// that begins at a place ends. split_scanner_test.cpp holds them against the expressions
/// themselves, run by PCRE2.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace aios::tokenizer {

/// Where the match that begins at `from` < size ends. Valid UTF-8 only.
using SplitScanner = uint32_t (*)(std::string_view text, uint32_t from) noexcept;

struct ScannedPattern {
  std::string_view expression;
  SplitScanner scan;
};

/// GPT-2's, which ByteLevel has as well: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
/// ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ (https://github.com/openai/gpt-2, src/encoder.py).
[[nodiscard]] uint32_t scan_gpt2(std::string_view text, uint32_t from) noexcept;

/// GPT-2, Llama-3 and cl100k, Qwen, o200k.
[[nodiscard]] const std::array<ScannedPattern, 4>& scanned_patterns() noexcept;

/// nullptr if there is no scanner for `expression`.
[[nodiscard]] SplitScanner find_scanner(std::string_view expression) noexcept;

}  // namespace aios::tokenizer
