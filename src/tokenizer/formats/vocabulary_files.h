/// Folders without tokenizer.json: vocab.json and merges.txt (byte-level BPE, as GPT-2, RoBERTa and
/// Qwen ship them), or vocab.txt (WordPiece, as BERT does).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tokenizer/formats/folder_config.h"

namespace aios::tokenizer {

/// A tokenizer as tokenizer.json describes it, and which tokens its class gives a role where the
/// folder's files do not: {"eos_token": "<|endoftext|>", …}.
struct TokenizerDocument {
  nlohmann::json document;
  nlohmann::json roles;
};

/// Each makes the tokenizer.json that Hugging Face's transformers would write for the folder. Which
/// class of theirs it is, "tokenizer_class" says (with or without "Fast" at the end), else
/// config.json's "model_type"; where neither file says anything, vocab.json is read as GPT-2's,
/// vocab.txt as BERT's.
/// @throws IoError, FormatError
[[nodiscard]] TokenizerDocument read_vocab_json(const std::filesystem::path& folder,
                                                const FolderConfig& config);
[[nodiscard]] TokenizerDocument read_vocab_txt(const std::filesystem::path& folder,
                                               const FolderConfig& config);

}  // namespace aios::tokenizer
