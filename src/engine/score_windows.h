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
  std::vector<int32_t> token_ids;  ///< begin token, then the tokens that are scored
  int64_t num_bytes = 0;           ///< of text that the scored tokens stand for
};

/// A document is the begin token and its text's tokens, without the tokenizer's template. Window i
/// of a document (with `concatenate`: of all documents, one behind the other) is the begin token
/// and the `window` - 1 tokens from 1 + i (`window` - 1) on; so each token but a document's first
/// begin token is scored once. The last window may be shorter.
/// @param window with the begin token, at least 2
/// @throws TokenizerError on a text that is not UTF-8
[[nodiscard]] std::vector<TextWindow> cut_windows(std::span<const std::string> documents,
                                                  const FastTokenizer& tokenizer,
                                                  int32_t begin_token_id, int32_t window,
                                                  const ScoreConfig& config);

}  // namespace aios
