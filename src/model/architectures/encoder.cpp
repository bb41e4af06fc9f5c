#include "model/architectures/encoder.h"

#include <utility>

namespace aios {

ModelSpec encoder_spec(std::string family, const ConfigReader& config, bool has_head) {
  ModelSpec spec;
  spec.family = std::move(family);
  spec.modes = {Mode::kEncode};
  if (has_head) spec.modes.push_back(Mode::kDiffuse);
  spec.attention_kinds = {AttentionKind::kFull};
  spec.position_kind = PositionKind::kLearned;
  spec.norm_kind = NormKind::kLayerNorm;
  spec.norm_placement = NormPlacement::kPost;
  spec.query_key_value_bias = true;
  spec.attention_output_bias = true;
  spec.mlp_bias = true;
  spec.gated_mlp = false;
  spec.head = has_head ? HeadKind::kTransform : HeadKind::kNone;
  spec.head_bias = has_head;
  spec.tie_word_embeddings = config.flag("tie_word_embeddings", true);
  return spec;
}

void set_bert_layers(ModelSpec& spec, const ConfigReader& config) {
  config.require("position_embedding_type", "absolute");
  config.require("is_decoder", false);
  config.require("add_cross_attention", false);
  spec.vocab_size = config.size("vocab_size");
  spec.hidden_size = config.size("hidden_size");
  spec.intermediate_size = config.size("intermediate_size");
  spec.num_hidden_layers = config.size("num_hidden_layers", {}, kMaxLayers);
  spec.num_attention_heads = config.size("num_attention_heads");
  spec.num_key_value_heads = spec.num_attention_heads;
  if (spec.hidden_size % spec.num_attention_heads != 0) {
    config.refuse("num_attention_heads", "a divisor of hidden_size");
  }
  spec.head_dim = spec.hidden_size / spec.num_attention_heads;
  spec.max_position_embeddings = config.size("max_position_embeddings");
  spec.type_vocab_size = config.size("type_vocab_size", 2);
  spec.norm_epsilon = config.number("layer_norm_eps", 1e-12);
  spec.activation = config.activation("hidden_act");

  TensorNames& names = spec.names;
  names.token_embedding = "embeddings.word_embeddings";
  names.position_embedding = "embeddings.position_embeddings";
  names.type_embedding = "embeddings.token_type_embeddings";
  names.embedding_norm = "embeddings.LayerNorm";
  names.query = "encoder.layer.{}.attention.self.query";
  names.key = "encoder.layer.{}.attention.self.key";
  names.value = "encoder.layer.{}.attention.self.value";
  names.attention_output = "encoder.layer.{}.attention.output.dense";
  names.attention_norm = "encoder.layer.{}.attention.output.LayerNorm";
  names.up = "encoder.layer.{}.intermediate.dense";
  names.down = "encoder.layer.{}.output.dense";
  names.mlp_norm = "encoder.layer.{}.output.LayerNorm";
  names.ignored = {"position_ids", "token_type_ids", "pooler.dense."};
}

}  // namespace aios
