// RoBERTa (arXiv:1907.11692): BERT's layers; transformers: models/roberta/modeling_roberta.py.
// Positions start behind the pad id, where pads themselves stand, so that a table of 514 rows
// gives a context of 512.
#include "model/architectures/encoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_roberta(const ConfigReader& config, bool has_head) {
  ModelSpec spec = encoder_spec("roberta", config, has_head);
  set_bert_layers(spec, config);
  const std::vector<int32_t> pad = config.token_ids("pad_token_id");
  if (pad.size() != 1) config.refuse("pad_token_id", "the id that positions start behind, often 1");
  spec.position_offset = int64_t{pad.front()} + 1;
  if (spec.context_length() < 1) config.refuse("max_position_embeddings", "above pad_token_id + 1");
  spec.skip_pad_positions = true;

  spec.head_activation = Activation::kGelu;  // whatever hidden_act is
  spec.names.prefixes = {"roberta.", ""};
  spec.names.head = "lm_head.decoder";
  spec.names.head_transform = "lm_head.dense";
  spec.names.head_norm = "lm_head.layer_norm";
  spec.names.head_bias = {"lm_head.bias", "lm_head.decoder.bias"};
  spec.names.ignored.emplace_back(has_head ? "lm_head.decoder.bias" : "lm_head.");
  return spec;
}

}  // namespace aios
