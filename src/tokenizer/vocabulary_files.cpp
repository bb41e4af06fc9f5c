#include "tokenizer/vocabulary_files.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "aios/error.h"
#include "base/text_file.h"
#include "tokenizer/file_limits.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

using nlohmann::json;

constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

/// What bos_token, eos_token and unk_token of these classes are when the files do not say.
constexpr const char* kDefaultSpecialToken = "<|endoftext|>";

json byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

/// The stages of transformers' converters of the same name (convert_slow_tokenizer.py).
json gpt2_stages(const JsonNode& config) {
  return {{"pre_tokenizer", byte_level(config.bool_or("add_prefix_space", false), true)}};
}

json qwen2_stages(const JsonNode&) {
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", kQwen2Pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  return {{"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer",
           {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false, false)}}}}};
}

struct TokenizerClass {
  std::string_view name;
  json (*stages)(const JsonNode& config);
};

constexpr std::array<TokenizerClass, 3> kClasses = {{
    {"GPT2Tokenizer", gpt2_stages},
    {"Qwen2Tokenizer", qwen2_stages},
    {"DreamTokenizer", qwen2_stages},
}};

json stages_of(const JsonNode& config) {
  const JsonNode node = config.at("tokenizer_class");
  std::string_view name = node.as_string();
  if (name.ends_with("Fast")) name.remove_suffix(4);
  std::string known;
  for (const TokenizerClass& entry : kClasses) {
    if (entry.name == name) return entry.stages(config);
    known.append(known.empty() ? "" : ", ").append(entry.name);
  }
  node.fail(quote(node.as_string()) + " is not supported without tokenizer.json; supported are " +
            known + "; or save the tokenizer with transformers' fast tokenizers");
}

using TokensById = std::map<int64_t, json>;

json special_token(const std::string& content) {
  return {{"content", content}, {"special", true}, {"normalized", false}};
}

/// added_tokens.json: names and ids, without flags.
void read_added_tokens(const std::string& path, TokensById& tokens) {
  if (!std::filesystem::exists(path)) return;
  const json document = parse_json(read_text_file(path, kMaxConfigBytes), path);
  const JsonNode root(document, path);
  if (!root.is_object()) root.fail("expected an object of token: id");
  for (const auto& [content, id] : document.items()) {
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

/// Tokens that have a role are special, whatever their flags say.
std::set<std::string> names_with_roles(const JsonNode& config) {
  std::set<std::string> names{kDefaultSpecialToken};
  const auto add = [&](const JsonNode& name) {
    names.insert(name.is_object() ? name.at("content").as_string() : name.as_string());
  };
  for (const char* role : {"bos_token", "eos_token", "pad_token", "mask_token", "unk_token",
                           "sep_token", "cls_token"}) {
    if (const auto name = config.find(role)) add(*name);
  }
  if (const auto more = config.find("additional_special_tokens")) {
    for (const JsonNode& name : more->elements()) add(name);
  }
  return names;
}

json added_tokens(const std::string& folder, const JsonNode& config, const json& vocabulary) {
  TokensById tokens;
  read_added_tokens(folder + "/added_tokens.json", tokens);
  read_added_tokens_decoder(config, tokens);
  std::set<std::string> special = names_with_roles(config);
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

/// Lines "a b"; empty ones and "#version: …" at the start say nothing.
json read_merges(const std::string& path) {
  const std::string text = read_text_file(path, kMaxTokenizerBytes);
  json merges = json::array();
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  return merges;
}

}  // namespace

nlohmann::json assemble_tokenizer_json(const std::string& folder) {
  const std::string config_path = folder + "/tokenizer_config.json";
  if (!std::filesystem::exists(config_path)) {
    throw FormatError(
        "'" + folder +
        "' has vocab.json but neither tokenizer.json nor tokenizer_config.json, whose "
        "tokenizer_class says how to split text");
  }
  const json config = parse_json(read_text_file(config_path, kMaxConfigBytes), config_path);
  const JsonNode config_node(config, config_path);
  json document = stages_of(config_node);
  const std::string vocabulary_path = folder + "/vocab.json";
  document["model"] = {
      {"type", "BPE"},
      {"vocab", parse_json(read_text_file(vocabulary_path, kMaxTokenizerBytes), vocabulary_path)},
      {"merges", read_merges(folder + "/merges.txt")}};
  document["added_tokens"] = added_tokens(folder, config_node, document["model"]["vocab"]);
  document["decoder"] = byte_level(true, true);
  return document;
}

}  // namespace aios::tokenizer
