/// Extended grapheme clusters (Unicode Standard Annex 29), as Rust's unicode-segmentation has them.
#pragma once

#include <cstddef>
#include <string_view>

namespace aios::tokenizer {

/// Where the grapheme that begins at `from` ends. Valid UTF-8, `from` < size.
///
/// Regional indicators are not paired: only Precompiled asks, and it takes a grapheme of six bytes
/// or more apart, as a pair would be.
[[nodiscard]] std::size_t grapheme_end(std::string_view text, std::size_t from) noexcept;

}  // namespace aios::tokenizer
