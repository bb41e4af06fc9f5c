// Dream (arXiv:2508.15487) and DiffuCoder: Qwen2's tensors, trained from its weights as a denoiser
// that keeps the shift by one: row i predicts token i + 1. Dream-org/Dream-v0-Base-7B:
// modeling_dream.py.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_dream(const ConfigReader& config, bool has_head) {
  ModelSpec spec = decoder_spec("dream", config, has_head);
  spec.query_key_value_bias = true;
  make_denoiser(spec, config, /*logit_shift=*/true);
  return spec;
}

}  // namespace aios
