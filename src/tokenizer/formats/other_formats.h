/// Tokenizers that come without a tokenizer.json.
#pragma once

#include <filesystem>
#include <optional>

#include "tokenizer/formats/vocabulary_files.h"

namespace aios::tokenizer {

/// Whether `folder` holds one of them.
[[nodiscard]] bool has_other_format(const std::filesystem::path& folder);

/// What `folder` holds instead of tokenizer.json: vocab.json with merges.txt, or vocab.txt; nothing
/// if it has none of them.
/// @throws IoError, FormatError
[[nodiscard]] std::optional<TokenizerDocument> read_other_format(
    const std::filesystem::path& folder);

}  // namespace aios::tokenizer
