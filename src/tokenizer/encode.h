/// From the tokens of one or two texts to the encoding that a model gets: special tokens, padding.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "aios/tokenizer.h"
#include "tokenizer/json_node.h"
#include "tokenizer/pipeline.h"

namespace aios::tokenizer {

struct Padding {
  int32_t id = -1;  ///< -1: the tokenizer has no padding token
  int32_t type_id = 0;
};

/// "truncation" and "padding" of tokenizer.json. @throws FormatError
[[nodiscard]] TokenizeOptions read_options(const JsonNode& json);

/// @throws ConfigError on options out of range or that contradict each other or the tokenizer
void check_options(const TokenizeOptions& options, const Padding& padding);

/// @param texts one or two
/// @param work lent by the pipeline
/// @throws TokenizerError on invalid UTF-8; ConfigError if `max_length` has no room for special
/// tokens, or the text that must give way is too short
[[nodiscard]] Encoding encode(const Pipeline& pipeline, std::span<const std::string_view> texts,
                              const TokenizeOptions& options, Workspace& work);

/// To one length; longer encodings stay as they are.
void pad(std::span<Encoding> encodings, const TokenizeOptions& options, const Padding& padding);

}  // namespace aios::tokenizer
