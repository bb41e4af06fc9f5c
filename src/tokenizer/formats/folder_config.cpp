#include "tokenizer/formats/folder_config.h"

#include <charconv>
#include <map>
#include <set>

#include "base/text_file.h"
#include "tokenizer/file_limits.h"

namespace aios::tokenizer {
namespace {

using nlohmann::json;
using TokensById = std::map<int64_t, json>;

constexpr const char* kRoles[] = {"bos_token", "eos_token", "pad_token", "mask_token",
                                  "unk_token", "sep_token", "cls_token"};

json read_object(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return json::object();
  json document = parse_json(read_text_file(path.string(), kMaxConfigBytes), path.string());
  if (!document.is_object()) JsonNode(document, path.string()).fail("expected an object");
  return document;
}

/// "[MASK]" or {"content": "[MASK]", …}.
std::string name_of(const JsonNode& token) {
  return token.is_object() ? token.at("content").as_string() : token.as_string();
}

json special_token(const std::string& content) {
  return {{"content", content}, {"special", true}, {"normalized", false}};
}

/// added_tokens.json: names and ids, without flags.
void read_added_tokens(const JsonNode& root, TokensById& tokens) {
  for (const auto& [content, id] : root.value().items()) {
    tokens[read_token_id(root.inner(id, "[" + quote(content) + "]"))] = special_token(content);
  }
}

/// tokenizer_config.json's "added_tokens_decoder": objects with flags, by id.
void read_added_tokens_decoder(const JsonNode& config, TokensById& tokens) {
  const auto decoder = config.find("added_tokens_decoder");
  if (!decoder) return;
  if (!decoder->is_object()) decoder->fail("expected an object of id: token");
  for (const auto& [text, token] : decoder->value().items()) {
    const JsonNode node = decoder->inner(token, "." + text);
    int32_t id = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id < 0) {
      decoder->fail(quote(text) + " is no token id");
    }
    if (!node.is_object()) node.fail("expected an object with the token's content");
    tokens[id] = token;
  }
}

std::optional<std::string> find_string(const JsonNode& node, const char* key) {
  const auto member = node.find(key);
  return member ? std::optional(member->as_string()) : std::nullopt;
}

}  // namespace

FolderConfig::FolderConfig(const std::filesystem::path& folder)
    : config_path_((folder / "tokenizer_config.json").string()),
      special_path_((folder / "special_tokens_map.json").string()),
      added_path_((folder / "added_tokens.json").string()),
      model_path_((folder / "config.json").string()) {
  config_ = read_object(config_path_);
  special_ = read_object(special_path_);
  added_ = read_object(added_path_);
  model_ = read_object(model_path_);
}

std::optional<std::string> FolderConfig::tokenizer_class() const {
  auto name = find_string(root(), "tokenizer_class");
  if (!name) name = find_string({model_, model_path_}, "tokenizer_class");
  if (name && name->ends_with("Fast")) name->resize(name->size() - 4);
  return name;
}

std::optional<std::string> FolderConfig::model_type() const {
  return find_string({model_, model_path_}, "model_type");
}

std::string FolderConfig::role(const char* key, const std::string& otherwise) const {
  for (const JsonNode& node : {root(), JsonNode(special_, special_path_)}) {
    if (const auto token = node.find(key)) return name_of(*token);
  }
  return otherwise;
}

json FolderConfig::added_tokens(const json& vocabulary, const json& roles) const {
  TokensById tokens;
  read_added_tokens({added_, added_path_}, tokens);
  read_added_tokens_decoder(root(), tokens);
  std::set<std::string> special;
  for (const char* key : kRoles) {
    const std::string name = role(key, roles.value(key, ""));
    if (!name.empty()) special.insert(name);
  }
  if (const auto more = root().find("additional_special_tokens")) {
    for (const JsonNode& name : more->elements()) special.insert(name_of(name));
  }
  json result = json::array();
  for (auto& [id, token] : tokens) {
    const auto content = token.find("content");
    if (content != token.end() && content->is_string() && special.erase(*content) > 0) {
      token["special"] = true;
    }
    token["id"] = id;
    result.push_back(std::move(token));
  }
  for (const std::string& name : special) {
    const auto entry = vocabulary.is_object() ? vocabulary.find(name) : vocabulary.end();
    if (entry == vocabulary.end()) continue;
    result.push_back(special_token(name));
    result.back()["id"] = *entry;
  }
  return result;
}

}  // namespace aios::tokenizer
