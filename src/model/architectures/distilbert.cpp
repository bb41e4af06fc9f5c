// DistilBERT (arXiv:1910.01108): BERT without token types, under other names; transformers:
// models/distilbert/modeling_distilbert.py. Sinusoidal positions are stored like learned ones.
#include "model/architectures/encoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_distilbert(const ConfigReader& config, bool has_head) {
  ModelSpec spec = encoder_spec("distilbert", config, has_head);
  spec.vocab_size = config.size("vocab_size");
  spec.hidden_size = config.size("dim");
  spec.intermediate_size = config.size("hidden_dim");
  spec.num_hidden_layers = config.size("n_layers", {}, kMaxLayers);
  spec.num_attention_heads = config.size("n_heads");
  spec.num_key_value_heads = spec.num_attention_heads;
  if (spec.hidden_size % spec.num_attention_heads != 0)
    config.refuse("n_heads", "a divisor of dim");
  spec.head_dim = spec.hidden_size / spec.num_attention_heads;
  spec.max_position_embeddings = config.size("max_position_embeddings");
  spec.norm_epsilon = 1e-12;
  spec.activation = config.activation("activation");
  spec.head_activation = spec.activation;

  TensorNames& names = spec.names;
  names.prefixes = {"distilbert.", ""};
  names.token_embedding = "embeddings.word_embeddings";
  names.position_embedding = "embeddings.position_embeddings";
  names.embedding_norm = "embeddings.LayerNorm";
  names.query = "transformer.layer.{}.attention.q_lin";
  names.key = "transformer.layer.{}.attention.k_lin";
  names.value = "transformer.layer.{}.attention.v_lin";
  names.attention_output = "transformer.layer.{}.attention.out_lin";
  names.attention_norm = "transformer.layer.{}.sa_layer_norm";
  names.up = "transformer.layer.{}.ffn.lin1";
  names.down = "transformer.layer.{}.ffn.lin2";
  names.mlp_norm = "transformer.layer.{}.output_layer_norm";
  names.head = "vocab_projector";
  names.head_transform = "vocab_transform";
  names.head_norm = "vocab_layer_norm";
  names.head_bias = {"vocab_projector.bias"};
  names.ignored = {"position_ids"};
  if (!has_head) names.ignored.emplace_back("vocab_");
  return spec;
}

}  // namespace aios
