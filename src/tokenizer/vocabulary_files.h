/// Folders without tokenizer.json: vocab.json and merges.txt, as GPT-2 and Qwen ship them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace aios::tokenizer {

/// The tokenizer.json that Hugging Face's transformers would write for `folder`, whose
/// tokenizer_config.json names the class: "GPT2Tokenizer", "Qwen2Tokenizer" or "DreamTokenizer"
/// (with or without "Fast" at the end). Added tokens come from tokenizer_config.json's
/// "added_tokens_decoder" and from added_tokens.json.
/// @throws IoError, FormatError
[[nodiscard]] nlohmann::json assemble_tokenizer_json(const std::string& folder);

}  // namespace aios::tokenizer
