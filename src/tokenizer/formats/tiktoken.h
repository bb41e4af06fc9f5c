/// tiktoken's files: a line for each token, its bytes in base64 and its rank.
#pragma once

#include <filesystem>
#include <string_view>

#include "tokenizer/formats/folder_config.h"
#include "tokenizer/formats/vocabulary_files.h"

namespace aios::tokenizer {

/// The tokenizer.json that gives tiktoken's ids. How text is split the file does not say:
/// "pat_str" of tokenizer_config.json does, else the file's name (cl100k_base, o200k_base,
/// p50k_base, r50k_base, gpt2, qwen; tokenizer.model is Llama 3's). Special tokens are those of
/// "added_tokens_decoder" and added_tokens.json, or those that go with the name.
/// @throws FormatError naming the line
[[nodiscard]] TokenizerDocument read_tiktoken(std::string_view text,
                                              const std::filesystem::path& file,
                                              const FolderConfig& config);

}  // namespace aios::tokenizer
