#include "model/architectures/decoder.h"

#include <utility>

#include "model/rotary.h"

namespace aios {
namespace {

TensorNames decoder_names(bool has_head) {
  TensorNames names;
  names.prefixes = {"model.", ""};
  names.token_embedding = "embed_tokens";
  names.attention_norm = "layers.{}.input_layernorm";
  names.query = "layers.{}.self_attn.q_proj";
  names.key = "layers.{}.self_attn.k_proj";
  names.value = "layers.{}.self_attn.v_proj";
  names.query_norm = "layers.{}.self_attn.q_norm";
  names.key_norm = "layers.{}.self_attn.k_norm";
  names.attention_output = "layers.{}.self_attn.o_proj";
  names.mlp_norm = "layers.{}.post_attention_layernorm";
  names.gate = "layers.{}.mlp.gate_proj";
  names.up = "layers.{}.mlp.up_proj";
  names.down = "layers.{}.mlp.down_proj";
  names.final_norm = "norm";
  names.head = "lm_head";
  names.ignored = {"rotary_emb.inv_freq"};
  if (!has_head) names.ignored.emplace_back("lm_head.");
  return names;
}

}  // namespace

ModelSpec decoder_spec(std::string family, const ConfigReader& config, bool has_head) {
  ModelSpec spec;
  spec.family = std::move(family);
  spec.attention_kinds = {AttentionKind::kCausal, AttentionKind::kFull};
  spec.logit_shift = true;
  spec.modes = {Mode::kEncode};
  if (has_head) spec.modes.push_back(Mode::kGenerate);
  if (has_head && (config.has("mask_token_id") || config.flag("dual_mode", false))) {
    spec.modes.push_back(Mode::kDiffuse);
  }

  spec.vocab_size = config.size("vocab_size");
  spec.hidden_size = config.size("hidden_size");
  spec.intermediate_size = config.size("intermediate_size");
  spec.num_hidden_layers = config.size("num_hidden_layers", {}, kMaxLayers);
  spec.num_attention_heads = config.size("num_attention_heads");
  spec.num_key_value_heads = config.size("num_key_value_heads", spec.num_attention_heads);
  spec.head_dim = config.size("head_dim", spec.hidden_size / spec.num_attention_heads);
  if (!config.has("head_dim") && spec.hidden_size % spec.num_attention_heads != 0) {
    config.refuse("num_attention_heads", "a divisor of hidden_size, or head_dim must be given");
  }

  spec.max_position_embeddings = config.size("max_position_embeddings");
  spec.rope = parse_rope(config);
  spec.norm_epsilon = config.number("rms_norm_eps", 1e-6);
  spec.activation = config.activation("hidden_act");
  spec.head = has_head ? HeadKind::kLinear : HeadKind::kNone;
  spec.tie_word_embeddings = config.flag("tie_word_embeddings", false);
  spec.names = decoder_names(has_head);
  return spec;
}

void make_denoiser(ModelSpec& spec, const ConfigReader& config, bool logit_shift) {
  spec.modes = {Mode::kDiffuse};
  spec.attention_kinds = {AttentionKind::kFull};
  spec.logit_shift = logit_shift;
  if (config.flag("dual_mode", false)) {
    spec.modes.push_back(Mode::kGenerate);
    spec.attention_kinds.push_back(AttentionKind::kCausal);
  }
}

void set_qwen_sliding_windows(ModelSpec& spec, const ConfigReader& config) {
  if (!config.flag("use_sliding_window", false)) return;
  const auto window = static_cast<int32_t>(config.size("sliding_window"));
  const auto num_layers = static_cast<std::size_t>(spec.num_hidden_layers);
  spec.sliding_windows.assign(num_layers, 0);

  const std::vector<std::string> layer_types = config.texts("layer_types");
  if (!layer_types.empty() && layer_types.size() != num_layers) {
    config.refuse("layer_types", "a list with one entry per layer");
  }
  const auto first_sliding = static_cast<std::size_t>(config.size("max_window_layers", 28));
  for (std::size_t layer = 0; layer < num_layers; ++layer) {
    const bool slides =
        layer_types.empty() ? layer >= first_sliding : layer_types[layer] == "sliding_attention";
    if (slides) spec.sliding_windows[layer] = window;
  }
}

}  // namespace aios
