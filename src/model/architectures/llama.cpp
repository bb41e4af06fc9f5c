// Llama 1 to 3.2 (arXiv:2302.13971, 2407.21783); transformers: models/llama/modeling_llama.py.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_llama(const ConfigReader& config, bool has_head) {
  ModelSpec spec = decoder_spec("llama", config, has_head);
  spec.query_key_value_bias = config.flag("attention_bias", false);
  spec.attention_output_bias = spec.query_key_value_bias;
  spec.mlp_bias = config.flag("mlp_bias", false);
  return spec;
}

}  // namespace aios
