/// Cuts documents into the windows that are scored one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aios/config.h"
#include "aios/tokenizer.h"

namespace aios {

struct TextWindow {
  std::vector<int32_t> token_ids;  ///< begin token, prefix, then the tokens that are scored
  int32_t first_scored = 1;
  int64_t num_bytes = 0;  ///< of text that the scored tokens stand for
  [[nodiscard]] int64_t num_scored() const noexcept {
    return static_cast<int64_t>(token_ids.size()) - first_scored;
  }
};

/// A document is the begin token and its text's tokens, without the tokenizer's template. Window i
/// of a document (with `concatenate`: of all documents, one behind the other) is the begin token,
/// the p tokens of the document's prefix and the n = `window` - 1 - p tokens from 1 + i n on; so
/// each token but a document's first begin token is scored once. The last window may be shorter.
/// @param window with the begin token, at least 2
/// @throws TokenizerError on a text that is not UTF-8; ConfigError unless there is no prefix, one,
///         or one for each document (with `concatenate`: one at most), each shorter than a window
[[nodiscard]] std::vector<TextWindow> cut_windows(std::span<const std::string> documents,
                                                  const FastTokenizer& tokenizer,
                                                  int32_t begin_token_id, int32_t window,
                                                  const ScoreConfig& config);

}  // namespace aios
