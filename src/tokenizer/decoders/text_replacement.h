/// Replacing texts in tokens, as Rust's `str::replace` does.
#pragma once

#include <string>
#include <string_view>

namespace aios::tokenizer {

/// An empty `from` matches before each character and at the end.
void replace_all(std::string& text, std::string_view from, std::string_view to);

/// Takes back the space before punctuation and in English contractions.
/// Source: `cleanup` in decoders/wordpiece.rs of Hugging Face's tokenizers.
void clean_up(std::string& text);

}  // namespace aios::tokenizer
