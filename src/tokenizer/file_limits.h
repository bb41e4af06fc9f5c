/// How large the files of a tokenizer may be; the largest known ones have 34 MB.
#pragma once

#include <cstddef>

namespace aios::tokenizer {

inline constexpr std::size_t kMaxTokenizerBytes = std::size_t{256} << 20U;
/// Of SentencePiece and tiktoken, which have 5 MB at most.
inline constexpr std::size_t kMaxModelFileBytes = std::size_t{64} << 20U;
inline constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20U;

}  // namespace aios::tokenizer
