/// SentencePiece's model files (sentencepiece_model.proto), Unigram and BPE.
#pragma once

#include <filesystem>
#include <string_view>

#include "tokenizer/formats/folder_config.h"
#include "tokenizer/formats/vocabulary_files.h"

namespace aios::tokenizer {

/// The tokenizer.json that gives SentencePiece's own ids, from the bytes of a model. It has stages
/// that Hugging Face's library does not know ("SentencePiece"). Control pieces and the unknown one
/// are special added tokens. The model does not say what begins and ends a text: "add_bos_token"
/// and "add_eos_token" of tokenizer_config.json do, else LlamaTokenizer and GemmaTokenizer begin
/// it.
/// @throws FormatError naming the byte or piece
[[nodiscard]] TokenizerDocument read_sentence_piece(std::string_view bytes,
                                                    const std::filesystem::path& file,
                                                    const FolderConfig& config);

}  // namespace aios::tokenizer
