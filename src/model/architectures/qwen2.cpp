// Qwen2 and Qwen2.5 (arXiv:2407.10671): Llama with biases on queries, keys and values only;
// transformers: models/qwen2/modeling_qwen2.py.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_qwen2(const ConfigReader& config, bool has_head) {
  ModelSpec spec = decoder_spec("qwen2", config, has_head);
  spec.query_key_value_bias = true;
  set_qwen_sliding_windows(spec, config);
  return spec;
}

}  // namespace aios
