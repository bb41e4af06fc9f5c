/// What holds for every encoding, whatever the tokenizer and the text.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aios/tokenizer.h"

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// One value for each token, ids in the vocabulary, offsets in the text.
inline void check_encoding(const aios::FastTokenizer& tokenizer, const aios::Encoding& encoding,
                           std::size_t text_size) {
  const std::size_t size = encoding.ids.size();
  require(encoding.offsets.size() == size && encoding.type_ids.size() == size);
  require(encoding.special_tokens_mask.size() == size && encoding.attention_mask.size() == size);
  for (std::size_t i = 0; i < size; ++i) {
    require(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.vocab_size());
    const auto [begin, end] = encoding.offsets[i];
    require(begin >= 0 && begin <= end && end <= static_cast<int64_t>(text_size));
  }
}

/// The pieces of a stream are the decoded text, which is returned.
inline std::string check_decoding(const aios::FastTokenizer& tokenizer,
                                  const aios::Encoding& encoding, bool skip_special) {
  aios::StreamingDecoder decoder(tokenizer, skip_special);
  std::string streamed;
  for (const int32_t id : encoding.ids) streamed += decoder.push(id);
  streamed += decoder.finish();
  require(streamed == tokenizer.decode(encoding.ids, skip_special));
  return streamed;
}
