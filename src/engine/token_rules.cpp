#include "engine/token_rules.h"

#include <algorithm>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

void check_vocabulary(const ModelSpec& spec, const FastTokenizer& tokenizer) {
  if (tokenizer.vocab_size() <= spec.vocab_size) return;
  throw InferenceError("tokenizer.json has token ids up to " +
                       std::to_string(tokenizer.vocab_size() - 1) +
                       ", but config.json says vocab_size " + std::to_string(spec.vocab_size) +
                       ": they belong to different models");
}

/// The ids around any text, seen by tokenizing one.
void find_template(const FastTokenizer& tokenizer, TokenRules& rules) {
  const Encoding encoding = tokenizer.encode("a");
  const auto& special = encoding.special_tokens_mask;
  std::size_t first = 0;
  while (first < special.size() && special[first] != 0) ++first;
  std::size_t last = special.size();
  while (last > first && special[last - 1] != 0) --last;
  const auto ids = encoding.ids.begin();
  rules.prefix.assign(ids, ids + static_cast<std::ptrdiff_t>(first));
  rules.suffix.assign(ids + static_cast<std::ptrdiff_t>(last), encoding.ids.end());
}

bool contains(const std::vector<int32_t>& ascending, int32_t id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

std::vector<int32_t> find_suppressed(const ModelSpec& spec, const FastTokenizer& tokenizer,
                                     const TokenRules& rules) {
  std::vector<int32_t> suppressed;
  for (int32_t id = 0; id < static_cast<int32_t>(spec.vocab_size); ++id) {
    const bool ends = contains(rules.end, id);
    const bool special = tokenizer.is_special(id) || id == spec.tokens.pad || id == rules.mask ||
                         !tokenizer.id_to_token(id);
    if ((special && !ends) || contains(spec.tokens.suppressed, id)) suppressed.push_back(id);
  }
  return suppressed;
}

}  // namespace

TokenRules make_token_rules(const ModelSpec& spec, const FastTokenizer& tokenizer) {
  check_vocabulary(spec, tokenizer);
  const SpecialTokens& special = tokenizer.special_tokens();
  TokenRules rules;
  find_template(tokenizer, rules);
  rules.begin = spec.tokens.begin ? spec.tokens.begin : special.begin;
  if (!rules.prefix.empty()) rules.begin = rules.prefix.front();
  rules.mask = spec.tokens.mask ? spec.tokens.mask : special.mask;
  rules.end = spec.tokens.end;
  if (rules.end.empty() && special.end) rules.end = {*special.end};
  std::sort(rules.end.begin(), rules.end.end());
  rules.suppressed = find_suppressed(spec, tokenizer, rules);
  return rules;
}

}  // namespace aios
