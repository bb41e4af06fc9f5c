#include "engine/sentence_settings.h"

#include <limits>
#include <vector>

#include "aios/error.h"
#include "base/suggestion.h"
#include "engine/json_file.h"

namespace aios {
namespace {

using nlohmann::json;

/// The kind of pooling that a file turns on, e.g. `mean_tokens` for "pooling_mode_mean_tokens".
PoolKind read_pooling(const std::string& path) {
  const std::map<std::string, PoolKind> kinds = {{"mean_tokens", PoolKind::kMean},
                                                 {"cls_token", PoolKind::kCls},
                                                 {"lasttoken", PoolKind::kLast}};
  constexpr std::string_view kPrefix = "pooling_mode_";
  const std::optional<json> file = read_json_file(path);
  if (!file) throw FormatError(path + ": modules.json names this file, but it is not there");
  std::vector<std::string> modes;
  for (const auto& [key, value] : file->items()) {
    if (key.starts_with(kPrefix) && value == true) modes.push_back(key.substr(kPrefix.size()));
  }
  if (modes.size() != 1) {
    throw InferenceError(path + ": exactly one kind of pooling is supported, not " +
                         std::to_string(modes.size()));
  }
  const auto kind = kinds.find(modes.front());
  if (kind == kinds.end()) {
    throw InferenceError(path + ": pooling '" + modes.front() +
                         "' is not supported; mean_tokens, cls_token and lasttoken are");
  }
  if (!json_value(*file, "include_prompt", true, path)) {
    throw InferenceError(path + ": include_prompt false is not supported");
  }
  return kind->second;
}

void read_modules(const std::string& directory, SentenceSettings& settings) {
  const std::string path = directory + "/modules.json";
  const std::optional<json> modules = read_json_file(path);
  if (!modules) return;
  if (!modules->is_array()) throw FormatError(path + ": must be a list of modules");
  for (const json& module : *modules) {
    const auto type = json_value(module, "type", std::string(), path);
    const std::string name = type.substr(type.rfind('.') + 1);
    if (name == "Transformer" || name == "Normalize") continue;  // ours: EncodeConfig::normalize
    if (name != "Pooling") {
      throw InferenceError(path + ": module '" + name +
                           "' is not supported; Transformer, Pooling and Normalize are");
    }
    const auto folder = json_value(module, "path", std::string(), path);
    if (folder.find("..") != std::string::npos || folder.starts_with('/')) {
      throw FormatError(path + ": path '" + folder + "' leads out of the model's directory");
    }
    settings.pooling = read_pooling(directory + "/" + folder + "/config.json");
  }
}

void read_limits(const std::string& directory, SentenceSettings& settings) {
  const std::string path = directory + "/sentence_bert_config.json";
  const std::optional<json> file = read_json_file(path);
  if (!file) return;
  const int64_t length = json_value(*file, "max_seq_length", int64_t{0}, path);
  if (length < 0 || length > std::numeric_limits<int32_t>::max()) {
    throw FormatError(path + ": max_seq_length " + std::to_string(length) + " is out of range");
  }
  settings.max_length = static_cast<int32_t>(length);
  if (json_value(*file, "do_lower_case", false, path)) {
    throw InferenceError(path + ": do_lower_case true is not supported");
  }
}

void read_prompts(const std::string& directory, SentenceSettings& settings) {
  const std::string path = directory + "/config_sentence_transformers.json";
  const std::optional<json> file = read_json_file(path);
  if (!file) return;
  settings.prompts = json_value(*file, "prompts", settings.prompts, path);
  settings.default_prompt_name = json_value(*file, "default_prompt_name", std::string(), path);
}

}  // namespace

SentenceSettings read_sentence_settings(const std::string& model_directory) {
  SentenceSettings settings;
  read_modules(model_directory, settings);
  read_limits(model_directory, settings);
  read_prompts(model_directory, settings);
  return settings;
}

std::string prompt_named(const SentenceSettings& settings, const std::string& name) {
  const std::string& chosen = name.empty() ? settings.default_prompt_name : name;
  if (chosen.empty()) return {};
  const auto prompt = settings.prompts.find(chosen);
  if (prompt != settings.prompts.end()) return prompt->second;
  std::vector<std::string> known;
  for (const auto& [key, text] : settings.prompts) known.push_back(key);
  throw ConfigError("prompt_name: the model has no prompt '" + chosen + "'" +
                    suggestion(chosen, known));
}

}  // namespace aios
