#include "model/model_spec.h"

#include <algorithm>
#include <set>

#include "aios/error.h"
#include "model/architectures/registry.h"
#include "model/config_reader.h"

namespace aios {
namespace {

const Architecture& choose_architecture(const ConfigReader& config) {
  const std::vector<std::string> names = config.texts("architectures");
  const std::string model_type = config.text("model_type", "");
  const bool is_named = !names.empty();  // then names decide alone: LLaDA-MoE's type is LLaDA's
  std::set<std::string> known_names;
  for (const Architecture& known : known_architectures()) {
    const bool matches = is_named ? std::find(names.begin(), names.end(), known.name) != names.end()
                                  : model_type == known.model_type;
    if (matches) return known;
    known_names.insert(is_named ? known.name : known.model_type);
  }
  std::string list;
  for (const std::string& name : known_names) list += " " + name;
  config.refuse(is_named ? "architectures" : "model_type", "one that this engine knows:" + list);
}

std::optional<int32_t> first_id(const std::vector<int32_t>& ids) {
  return ids.empty() ? std::nullopt : std::optional(ids.front());
}

/// generation_config.json goes first, as in transformers.
std::vector<int32_t> token_ids(const char* key, const ConfigReader& config,
                               const std::optional<ConfigReader>& generation, int64_t vocab_size) {
  const ConfigReader& source = generation && generation->has(key) ? *generation : config;
  const std::vector<int32_t> ids = source.token_ids(key);
  for (const int32_t id : ids) {
    if (id >= vocab_size) {
      source.refuse(key, "below the vocabulary's size, " + std::to_string(vocab_size));
    }
  }
  return ids;
}

TokenIds parse_token_ids(const ConfigReader& config, const std::string& generation_config_json,
                         int64_t vocab_size) {
  std::optional<ConfigReader> generation;
  if (!generation_config_json.empty()) {
    generation.emplace(generation_config_json, "generation_config.json");
  }
  const auto read = [&](const char* key) { return token_ids(key, config, generation, vocab_size); };
  TokenIds tokens;
  tokens.begin = first_id(read("bos_token_id"));
  tokens.end = read("eos_token_id");
  tokens.pad = first_id(read("pad_token_id"));
  tokens.mask = first_id(read("mask_token_id"));
  tokens.suppressed = read("suppress_tokens");
  std::sort(tokens.suppressed.begin(), tokens.suppressed.end());
  return tokens;
}

}  // namespace

bool ModelSpec::allows(AttentionKind kind) const noexcept {
  return std::find(attention_kinds.begin(), attention_kinds.end(), kind) != attention_kinds.end();
}

bool ModelSpec::has_mode(Mode mode) const noexcept {
  return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

ModelSpec parse_model_spec(const std::string& config_json,
                           const std::string& generation_config_json) {
  const ConfigReader config(config_json, "config.json");
  const Architecture& architecture = choose_architecture(config);
  ModelSpec spec = architecture.parse(config, architecture.has_head);
  spec.tokens = parse_token_ids(config, generation_config_json, spec.vocab_size);
  check_model_spec(spec);
  return spec;
}

void check_model_spec(const ModelSpec& spec) {
  const auto require = [&](bool holds, const std::string& complaint) {
    if (!holds) throw FormatError("config.json: this " + spec.family + " network " + complaint);
  };
  const auto positive = [&](int64_t size, const char* name) {
    require(size >= 1 && size <= kMaxSize, "cannot have " + std::to_string(size) + " as its " +
                                               name + "; it must be from 1 to 2^28");
  };
  positive(spec.vocab_size, "vocab_size");
  positive(spec.hidden_size, "hidden_size");
  positive(spec.intermediate_size, "intermediate_size");
  positive(spec.num_hidden_layers, "num_hidden_layers");
  positive(spec.num_attention_heads, "num_attention_heads");
  positive(spec.num_key_value_heads, "num_key_value_heads");
  positive(spec.head_dim, "head_dim");
  positive(spec.context_length(), "context length");
  require(spec.num_attention_heads % spec.num_key_value_heads == 0,
          "cannot share " + std::to_string(spec.num_key_value_heads) + " key-value heads among " +
              std::to_string(spec.num_attention_heads) +
              " attention heads; the first must divide the second");
  require(spec.num_attention_heads <= kMaxSize / spec.head_dim,
          "cannot have attention heads that are more than 2^28 wide together");
  require(spec.position_kind != PositionKind::kRotary || spec.head_dim % 2 == 0,
          "cannot rotate heads of " + std::to_string(spec.head_dim) +
              " dimensions; head_dim must be even");
  require(spec.position_offset >= 0 && spec.type_vocab_size >= 0, "cannot have negative sizes");
  require(!spec.skip_pad_positions || spec.position_offset >= 1,
          "whose positions skip pads must have a position_offset");
  require(!spec.attention_kinds.empty(), "must allow a kind of attention");
  require(!spec.allows(AttentionKind::kBlockCausal) || spec.block_length >= 1,
          "must have a block_size of at least 1");
  require(!spec.head_bias || !spec.names.head_bias.empty(), "must name the bias of its head");
  require(
      spec.sliding_windows.empty() || std::ssize(spec.sliding_windows) == spec.num_hidden_layers,
      "must have one sliding window per layer or none");
}

const char* mode_name(Mode mode) noexcept {
  switch (mode) {
    case Mode::kEncode:
      return "encode";
    case Mode::kGenerate:
      return "generate";
    case Mode::kDiffuse:
      return "diffuse";
  }
  return "unknown";
}

const char* attention_kind_name(AttentionKind kind) noexcept {
  switch (kind) {
    case AttentionKind::kFull:
      return "full";
    case AttentionKind::kCausal:
      return "causal";
    case AttentionKind::kBlockCausal:
      return "block-causal";
  }
  return "unknown";
}

}  // namespace aios
