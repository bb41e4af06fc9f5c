// LLaDA (arXiv:2502.09992): a Llama trained as a denoiser without a shift, with the configuration
// and the names of OLMo. GSAI-ML/LLaDA-8B-Base: modeling_llada.py, configuration_llada.py. The
// embedding may have more rows than the vocabulary, and the logits are as wide as the embedding.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"
#include "model/rotary.h"

namespace aios {
namespace {

/// Switches of the configuration that no published LLaDA sets otherwise.
void require_llama_block(const ConfigReader& config) {
  config.require("block_type", "llama");
  config.require("layer_norm_type", "rms");
  config.require("rope", true);
  config.require("alibi", false);
  config.require("include_bias", false);
  config.require("attention_layer_norm", false);
  config.require("input_emb_norm", false);
  config.require("scale_logits", false);
  config.require("block_group_size", 1);
}

TensorNames llada_names() {
  TensorNames names;
  names.prefixes = {"model.transformer."};
  names.token_embedding = "wte";
  names.attention_norm = "blocks.{}.attn_norm";
  names.query = "blocks.{}.q_proj";
  names.key = "blocks.{}.k_proj";
  names.value = "blocks.{}.v_proj";
  names.attention_output = "blocks.{}.attn_out";
  names.mlp_norm = "blocks.{}.ff_norm";
  names.gate = "blocks.{}.ff_proj";
  names.up = "blocks.{}.up_proj";
  names.down = "blocks.{}.ff_out";
  names.final_norm = "ln_f";
  names.head = "model.transformer.ff_out";
  names.ignored = {"rotary_emb.inv_freq"};
  return names;
}

}  // namespace

ModelSpec parse_llada(const ConfigReader& config, bool has_head) {
  require_llama_block(config);
  ModelSpec spec;
  spec.family = "llada";
  make_denoiser(spec, config, /*logit_shift=*/false);

  const int64_t vocab_size = config.size("vocab_size");
  spec.vocab_size = config.size("embedding_size", vocab_size);
  if (spec.vocab_size < vocab_size) config.refuse("embedding_size", "at least vocab_size");
  spec.hidden_size = config.size("d_model");
  spec.intermediate_size = config.size("mlp_hidden_size");
  spec.num_hidden_layers = config.size("n_layers", {}, kMaxLayers);
  spec.num_attention_heads = config.size("n_heads");
  spec.num_key_value_heads = config.size(
      "n_kv_heads", config.flag("multi_query_attention", false) ? 1 : spec.num_attention_heads);
  if (spec.hidden_size % spec.num_attention_heads != 0) {
    config.refuse("n_heads", "a divisor of d_model");
  }
  spec.head_dim = spec.hidden_size / spec.num_attention_heads;

  spec.max_position_embeddings = config.size("max_sequence_length");
  spec.rope = parse_rope(config);
  spec.norm_epsilon = config.number("rms_norm_eps", 1e-5);
  spec.query_key_value_bias = config.flag("include_qkv_bias", false);
  spec.activation = config.activation("activation_type");
  spec.head = has_head ? HeadKind::kLinear : HeadKind::kNone;
  spec.tie_word_embeddings = config.flag("weight_tying", false);
  spec.names = llada_names();
  return spec;
}

}  // namespace aios
