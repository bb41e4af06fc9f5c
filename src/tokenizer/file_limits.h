/// How large the files of a tokenizer may be; the largest known ones have 34 MB.
#pragma once

#include <cstddef>

namespace aios::tokenizer {

inline constexpr std::size_t kMaxTokenizerBytes = std::size_t{256} << 20U;
inline constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20U;

}  // namespace aios::tokenizer
