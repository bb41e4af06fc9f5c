/// Tokenizers that come without a tokenizer.json.
#pragma once

#include <filesystem>
#include <optional>

#include "tokenizer/formats/vocabulary_files.h"

namespace aios::tokenizer {

/// Whether `folder` holds one of them.
[[nodiscard]] bool has_other_format(const std::filesystem::path& folder);

/// What `folder` holds instead of tokenizer.json: vocab.json with merges.txt, vocab.txt, or one
/// file
/// `*.model` or `*.tiktoken` of SentencePiece or tiktoken (their first byte tells); nothing if it
/// has none of them.
/// @throws IoError, FormatError
[[nodiscard]] std::optional<TokenizerDocument> read_other_format(
    const std::filesystem::path& folder);

/// Whether `file` has the name of a SentencePiece or tiktoken model.
[[nodiscard]] bool is_model_file(const std::filesystem::path& file);
/// Such a file, with the folder's configs. @throws IoError, FormatError
[[nodiscard]] TokenizerDocument read_model_file(const std::filesystem::path& file);

}  // namespace aios::tokenizer
