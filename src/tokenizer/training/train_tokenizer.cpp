/// `train_tokenizer`: a whole tokenizer.json from text files.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_node.h"
#include "tokenizer/training/bpe_trainer.h"
#include "tokenizer/training/word_counter.h"

namespace aios {
namespace {

using nlohmann::json;
using tokenizer::BpeTrainerOptions;
using tokenizer::BpeVocabulary;

constexpr std::size_t kMaxTextFileBytes = std::size_t{1} << 30U;
constexpr const char* kPrefix = "##";

json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}};
}

json bert_template(const std::vector<std::string>& tokens) {
  const auto special = [](const char* token, int type_id) {
    return json{{"SpecialToken", {{"id", token}, {"type_id", type_id}}}};
  };
  const auto sequence = [](const char* name, int type_id) {
    return json{{"Sequence", {{"id", name}, {"type_id", type_id}}}};
  };
  const json single = {special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)};
  json pair = single;
  pair.push_back(sequence("B", 1));
  pair.push_back(special("[SEP]", 1));
  json ids = json::object();
  for (const std::string token : {"[CLS]", "[SEP]"}) {
    const auto id = std::find(tokens.begin(), tokens.end(), token) - tokens.begin();
    ids[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
  }
  return {
      {"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", ids}};
}

/// All of a tokenizer.json but what is learnt.
json make_stages(const TokenizerTrainingConfig& config) {
  json document = {{"version", "1.0"},
                   {"truncation", nullptr},
                   {"padding", nullptr},
                   {"normalizer", nullptr},
                   {"post_processor", nullptr}};
  if (config.kind == TokenizerKind::kBpe) {
    document["pre_tokenizer"] = byte_level();
    document["decoder"] = byte_level();
  } else {
    document["normalizer"] = {{"type", "BertNormalizer"},
                              {"clean_text", true},
                              {"handle_chinese_chars", true},
                              {"strip_accents", nullptr},
                              {"lowercase", config.lowercase}};
    document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    document["decoder"] = {{"type", "WordPiece"}, {"prefix", kPrefix}, {"cleanup", true}};
  }
  return document;
}

/// The user's tokens behind those that the kind needs.
std::vector<std::string> special_tokens_of(const TokenizerTrainingConfig& config) {
  std::vector<std::string> tokens = {"<|endoftext|>"};
  if (config.kind == TokenizerKind::kWordPiece) {
    tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  }
  for (const std::string& token : config.special_tokens) {
    if (token.empty() || find_invalid_utf8(token) < token.size()) {
      throw ConfigError("special_tokens: a token is empty or not UTF-8");
    }
    if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
  }
  return tokens;
}

BpeTrainerOptions trainer_options(const TokenizerTrainingConfig& config) {
  BpeTrainerOptions options;
  options.vocab_size = config.vocab_size;
  options.min_frequency = config.min_frequency;
  options.limit_alphabet = config.limit_alphabet;
  options.max_token_length = config.max_token_length;
  options.special_tokens = special_tokens_of(config);
  if (config.kind == TokenizerKind::kWordPiece) {
    options.continuing_subword_prefix = kPrefix;
  } else {
    for (int byte = 0; byte < 256; ++byte) {
      options.initial_alphabet.push_back(
          tokenizer::letter_of_byte(static_cast<unsigned char>(byte)));
    }
  }
  return options;
}

void check(const TokenizerTrainingConfig& config) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw ConfigError(message);
  };
  require(config.vocab_size >= 1, "vocab_size must be at least 1");
  require(config.min_frequency >= 0, "min_frequency must be at least 0");
  require(config.limit_alphabet >= 0, "limit_alphabet must be at least 0");
  require(config.max_token_length >= 0, "max_token_length must be at least 0");
}

json make_model(const TokenizerTrainingConfig& config, const BpeVocabulary& learnt) {
  json vocabulary = json::object();
  for (std::size_t id = 0; id < learnt.tokens.size(); ++id) vocabulary[learnt.tokens[id]] = id;
  if (config.kind == TokenizerKind::kWordPiece) {
    return {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", kPrefix},
            {"max_input_chars_per_word", 100},
            {"vocab", std::move(vocabulary)}};
  }
  json merges = json::array();
  for (const auto& [left, right] : learnt.merges) {
    merges.push_back({learnt.tokens[static_cast<std::size_t>(left)],
                      learnt.tokens[static_cast<std::size_t>(right)]});
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)}};
}

}  // namespace

std::string train_tokenizer(std::span<const std::string> paths,
                            const TokenizerTrainingConfig& config) {
  check(config);
  json document = make_stages(config);
  const tokenizer::JsonNode root(document, "tokenizer.json");
  tokenizer::WordCounter counter(root);
  for (const std::string& path : paths) {
    const std::string text = read_text_file(path, kMaxTextFileBytes);
    if (const std::size_t bad = find_invalid_utf8(text); bad < text.size()) {
      throw TokenizerError("'" + path + "' is not valid UTF-8 at byte " + std::to_string(bad));
    }
    counter.add(text);
  }
  const BpeTrainerOptions options = trainer_options(config);
  const BpeVocabulary learnt = train_bpe(counter.take(), options);
  document["added_tokens"] = json::array();
  for (std::size_t id = 0; id < options.special_tokens.size(); ++id) {
    document["added_tokens"].push_back({{"id", id},
                                        {"content", options.special_tokens[id]},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", true}});
  }
  if (config.kind == TokenizerKind::kWordPiece) {
    document["post_processor"] = bert_template(learnt.tokens);
  }
  document["model"] = make_model(config, learnt);
  return document.dump(2) + "\n";
}

}  // namespace aios
