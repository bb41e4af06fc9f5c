// BERT (arXiv:1810.04805); transformers: models/bert/modeling_bert.py. Google's files have the
// prefix `bert.` and norms named gamma and beta, those of sentence-transformers neither.
#include "model/architectures/encoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_bert(const ConfigReader& config, bool has_head) {
  ModelSpec spec = encoder_spec("bert", config, has_head);
  set_bert_layers(spec, config);
  spec.head_activation = spec.activation;
  spec.names.prefixes = {"bert.", ""};
  spec.names.head = "cls.predictions.decoder";
  spec.names.head_transform = "cls.predictions.transform.dense";
  spec.names.head_norm = "cls.predictions.transform.LayerNorm";
  spec.names.head_bias = {"cls.predictions.bias", "cls.predictions.decoder.bias"};
  // The next-sentence head and the bias's other name; or a head that config.json does not ask for.
  spec.names.ignored.emplace_back(has_head ? "cls.seq_relationship." : "cls.");
  if (has_head) spec.names.ignored.emplace_back("cls.predictions.decoder.bias");
  return spec;
}

}  // namespace aios
