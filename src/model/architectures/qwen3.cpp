// Qwen3 (arXiv:2505.09388): Qwen2 without its biases, with a norm over each head of queries and
// keys, and 128 wide heads unless config.json says otherwise; transformers:
// models/qwen3/modeling_qwen3.py.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_qwen3(const ConfigReader& config, bool has_head) {
  ModelSpec spec = decoder_spec("qwen3", config, has_head);
  spec.head_dim = config.size("head_dim", 128);
  spec.query_key_norm = true;
  spec.query_key_value_bias = config.flag("attention_bias", false);
  spec.attention_output_bias = spec.query_key_value_bias;
  set_qwen_sliding_windows(spec, config);
  return spec;
}

}  // namespace aios
