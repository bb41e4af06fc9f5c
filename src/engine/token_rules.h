/// What the engine must know of token ids: the model's configuration and its tokenizer, agreed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "aios/tokenizer.h"
#include "model/model_spec.h"

namespace aios {

struct TokenRules {
  std::vector<int32_t> prefix;  ///< ids that the tokenizer's template puts before a text
  std::vector<int32_t> suffix;  ///< and after it
  /// Begins a document that is scored: the template's first id, else what the model's configuration
  /// or the tokenizer names.
  std::optional<int32_t> begin;
  std::optional<int32_t> mask;
  std::vector<int32_t> end;  ///< any of these ends a text; ascending
  /// Never sampled, ascending: mask, pad and all special ids but `end`, ids without a token, and
  /// what generation_config.json suppresses (an end id there is never sampled either).
  std::vector<int32_t> suppressed;
};

/// @throws InferenceError if the tokenizer has ids that the network does not know
[[nodiscard]] TokenRules make_token_rules(const ModelSpec& spec, const FastTokenizer& tokenizer);

}  // namespace aios
