/// What the small files of a tokenizer's folder say, where no tokenizer.json says it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tokenizer/json_node.h"

namespace aios::tokenizer {

/// tokenizer_config.json, special_tokens_map.json, added_tokens.json and config.json, as far as
/// they exist.
class FolderConfig {
 public:
  /// @throws IoError, FormatError if one of the files is no JSON object
  explicit FolderConfig(const std::filesystem::path& folder);

  /// tokenizer_config.json; an empty object if there is none.
  [[nodiscard]] JsonNode root() const { return {config_, config_path_}; }
  /// "tokenizer_class" without "Fast", of tokenizer_config.json or else of config.json.
  [[nodiscard]] std::optional<std::string> tokenizer_class() const;
  /// "model_type" of config.json.
  [[nodiscard]] std::optional<std::string> model_type() const;
  /// The token that has a role ("bos_token", …), or `otherwise`.
  [[nodiscard]] std::string role(const char* key, const std::string& otherwise) const;
  /// tokenizer.json's "added_tokens": those of "added_tokens_decoder" and added_tokens.json, and
  /// every token of the vocabulary that has a role, in `roles` if the files do not say. Tokens with
  /// a role are special, whatever their flags say.
  /// @param vocabulary {"token": id, …} @param roles {"bos_token": "<s>", …}
  [[nodiscard]] nlohmann::json added_tokens(const nlohmann::json& vocabulary,
                                            const nlohmann::json& roles) const;

 private:
  nlohmann::json config_, special_, added_, model_;
  std::string config_path_, special_path_, added_path_, model_path_;
};

}  // namespace aios::tokenizer
