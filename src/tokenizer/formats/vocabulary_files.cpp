#include "tokenizer/formats/vocabulary_files.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "aios/error.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "tokenizer/file_limits.h"

namespace aios::tokenizer {
namespace {

using nlohmann::json;

constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

json byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

/// The tokens with roles, whose names the class fixes where the files do not.
json end_of_text_roles() {
  return {{"bos_token", "<|endoftext|>"},
          {"eos_token", "<|endoftext|>"},
          {"unk_token", "<|endoftext|>"}};
}

json roberta_roles() {
  return {{"bos_token", "<s>"},    {"eos_token", "</s>"},  {"sep_token", "</s>"},
          {"cls_token", "<s>"},    {"unk_token", "<unk>"}, {"pad_token", "<pad>"},
          {"mask_token", "<mask>"}};
}

json bert_roles() {
  return {{"unk_token", "[UNK]"},
          {"sep_token", "[SEP]"},
          {"pad_token", "[PAD]"},
          {"cls_token", "[CLS]"},
          {"mask_token", "[MASK]"}};
}

/// The stages of transformers' classes of the same name (models/*/tokenization_*.py, 5.23).
json gpt2_stages(const FolderConfig& config) {
  return {{"pre_tokenizer", byte_level(config.root().bool_or("add_prefix_space", false), true)}};
}

json qwen2_stages(const FolderConfig& config) {
  const bool prefix = config.root().bool_or("add_prefix_space", false);
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", kQwen2Pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  return {{"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer",
           {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(prefix, false)}}}}};
}

json roberta_stages(const FolderConfig& config) {
  json stages = gpt2_stages(config);
  stages["post_processor"] = {{"type", "RobertaProcessing"},
                              {"trim_offsets", config.root().bool_or("trim_offsets", true)},
                              {"add_prefix_space", stages["pre_tokenizer"]["add_prefix_space"]}};
  return stages;
}

struct TokenizerClass {
  std::string_view name;
  std::array<std::string_view, 3> model_types;  // of config.json; empty: none
  json (*stages)(const FolderConfig& config);
  json (*roles)();
};

/// The first is what a folder is that says nothing.
constexpr std::array<TokenizerClass, 4> kByteLevelClasses = {{
    {"GPT2Tokenizer", {"gpt2"}, gpt2_stages, end_of_text_roles},
    {"Qwen2Tokenizer", {"qwen2", "qwen3"}, qwen2_stages, end_of_text_roles},
    {"DreamTokenizer", {"Dream"}, qwen2_stages, end_of_text_roles},
    {"RobertaTokenizer", {"roberta"}, roberta_stages, roberta_roles},
}};

const TokenizerClass& class_of(const FolderConfig& config) {
  const auto name = config.tokenizer_class();
  const auto model_type = config.model_type();
  if (!name && !model_type) return kByteLevelClasses.front();
  std::string known;
  for (const TokenizerClass& entry : kByteLevelClasses) {
    if (name ? entry.name == *name
             : std::count(entry.model_types.begin(), entry.model_types.end(), *model_type) > 0) {
      return entry;
    }
    known.append(known.empty() ? "" : ", ").append(entry.name);
  }
  config.root().fail((name ? "tokenizer_class " + quote(*name)
                           : "no tokenizer_class, and model_type " + quote(*model_type)) +
                     " is not supported without tokenizer.json; supported are " + known +
                     "; or save the tokenizer with transformers' fast tokenizers");
}

std::string read_utf8(const std::filesystem::path& path) {
  std::string text = read_text_file(path.string(), kMaxTokenizerBytes);
  if (const std::size_t bad = find_invalid_utf8(text); bad < text.size()) {
    throw FormatError("'" + path.string() + "': byte " + std::to_string(bad) + " is not UTF-8");
  }
  return text;
}

/// Lines end with LF or CRLF; what follows the last one is a line if it is not empty.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
  }
}

/// Lines "a b"; empty ones and "#version: …" say nothing.
json read_merges(const std::filesystem::path& path) {
  const std::string text = read_utf8(path);
  json merges = json::array();
  for_each_line(text, [&](std::string_view line) {
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  });
  return merges;
}

/// The id of a token that the post-processor adds.
json id_of(const json& vocabulary, const std::string& token, const std::filesystem::path& path) {
  const auto entry = vocabulary.find(token);
  if (entry == vocabulary.end()) {
    throw FormatError("'" + path.string() + "' lacks " + quote(token) +
                      ", which begins or ends a text: name the right one in tokenizer_config.json");
  }
  return *entry;
}

json template_piece(const char* kind, const std::string& id, int type_id) {
  return {{kind, {{"id", id}, {"type_id", type_id}}}};
}

json bert_template(const std::string& classify, const std::string& separator,
                   const json& vocabulary, const std::filesystem::path& path) {
  const json single = {template_piece("SpecialToken", classify, 0),
                       template_piece("Sequence", "A", 0),
                       template_piece("SpecialToken", separator, 0)};
  json pair = single;
  pair.push_back(template_piece("Sequence", "B", 1));
  pair.push_back(template_piece("SpecialToken", separator, 1));
  json special = json::object();
  for (const std::string& token : {classify, separator}) {
    special[token] = {
        {"id", token}, {"ids", {id_of(vocabulary, token, path)}}, {"tokens", {token}}};
  }
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

}  // namespace

TokenizerDocument read_vocab_json(const std::filesystem::path& folder, const FolderConfig& config) {
  const TokenizerClass& entry = class_of(config);
  TokenizerDocument result{entry.stages(config), entry.roles()};
  json& document = result.document;
  const std::filesystem::path path = folder / "vocab.json";
  document["model"] = {
      {"type", "BPE"},
      {"vocab", parse_json(read_text_file(path.string(), kMaxTokenizerBytes), path.string())},
      {"merges", read_merges(folder / "merges.txt")}};
  const json& vocabulary = document["model"]["vocab"];
  if (!vocabulary.is_object()) {
    JsonNode(vocabulary, path.string()).fail("expected an object of token: id");
  }
  if (document.contains("post_processor")) {
    for (const auto& [part, role] :
         {std::pair("sep", "sep_token"), std::pair("cls", "cls_token")}) {
      const std::string token = config.role(role, result.roles.at(role).get<std::string>());
      document["post_processor"][part] = {token, id_of(vocabulary, token, path)};
    }
  }
  document["added_tokens"] = config.added_tokens(vocabulary, result.roles);
  document["decoder"] = byte_level(true, true);
  return result;
}

TokenizerDocument read_vocab_txt(const std::filesystem::path& folder, const FolderConfig& config) {
  const std::filesystem::path path = folder / "vocab.txt";
  const std::string text = read_utf8(path);
  json vocabulary = json::object();
  uint64_t id = 0;
  for_each_line(text, [&](std::string_view line) { vocabulary[std::string(line)] = id++; });
  const JsonNode root = config.root();
  TokenizerDocument result{json::object(), bert_roles()};
  const auto role = [&](const char* key) {
    return config.role(key, result.roles.at(key).get<std::string>());
  };
  json strip_accents;  // null: as lowercase says
  if (const auto strip = root.find("strip_accents")) strip_accents = strip->as_bool();
  json& document = result.document;
  document["normalizer"] = {{"type", "BertNormalizer"},
                            {"clean_text", true},
                            {"handle_chinese_chars", root.bool_or("tokenize_chinese_chars", true)},
                            {"strip_accents", strip_accents},
                            {"lowercase", root.bool_or("do_lower_case", true)}};
  document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  document["post_processor"] =
      bert_template(role("cls_token"), role("sep_token"), vocabulary, path);
  document["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  document["added_tokens"] = config.added_tokens(vocabulary, result.roles);
  document["model"] = {{"type", "WordPiece"},
                       {"unk_token", role("unk_token")},
                       {"continuing_subword_prefix", "##"},
                       {"max_input_chars_per_word", 100},
                       {"vocab", std::move(vocabulary)}};
  return result;
}

}  // namespace aios::tokenizer
