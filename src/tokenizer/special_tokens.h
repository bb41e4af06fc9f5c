/// Which tokens begin, end, pad, mask …: from the files beside tokenizer.json.
#pragma once

#include <optional>
#include <string>

#include "aios/tokenizer.h"
#include "tokenizer/json_node.h"
#include "tokenizer/pipeline.h"

namespace aios::tokenizer {

/// The first file of `configs` that names a role decides (tokenizer_config.json, then
/// special_tokens_map.json: "bos_token", "eos_token", "pad_token", "mask_token", "unk_token",
/// "sep_token", "cls_token"; a string, or an object with "content"). A role that no file names is
/// filled by the customary spelling if that is a special token: [MASK], <mask>, <|mask|>, …
/// @throws FormatError if a name is no string; a name that the vocabulary lacks is logged and
/// ignored
[[nodiscard]] SpecialTokens read_special_tokens(const std::vector<JsonNode>& configs,
                                                const Pipeline& pipeline);

}  // namespace aios::tokenizer
