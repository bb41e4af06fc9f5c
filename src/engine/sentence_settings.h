/// What sentence-transformers files beside a model say about turning its states into a vector.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "aios/config.h"
#include "backend/backend.h"

namespace aios {

struct SentenceSettings {
  std::optional<PoolKind> pooling;             ///< 1_Pooling/config.json
  int32_t max_length = 0;                      ///< sentence_bert_config.json; 0: it does not say
  std::map<std::string, std::string> prompts;  ///< config_sentence_transformers.json
  std::string default_prompt_name;
};

/// Reads modules.json and the files it names, config_sentence_transformers.json and
/// sentence_bert_config.json, as far as they are there.
/// @throws FormatError if one of them is malformed, InferenceError naming what is not supported: a
///         module (Dense), a kind of pooling (max), lower-casing
[[nodiscard]] SentenceSettings read_sentence_settings(const std::string& model_directory);

/// The text put before every input. @throws ConfigError if `name` is no prompt of the model
[[nodiscard]] std::string prompt_named(const SentenceSettings& settings, const std::string& name);

}  // namespace aios
