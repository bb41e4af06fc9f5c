// A2D (dLLM: ZHZisZZ/dllm, dllm/pipelines/a2d): Llama, Qwen2 or Qwen3 trained on as denoisers
// without a shift. The MDLM kind sees everything. The BD3-LM kind sees its own block and those
// before it, in blocks of 32 tokens unless config.json has a `block_size`; one checkpoint's
// config.json does not say which kind it is, so both are allowed.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {
namespace {

ModelSpec a2d_spec(ModelSpec spec, const ConfigReader& config) {
  spec.family = "a2d-" + spec.family;
  make_denoiser(spec, config, /*logit_shift=*/false);
  spec.block_length = static_cast<int32_t>(config.size("block_size", 32));
  spec.attention_kinds.push_back(AttentionKind::kBlockCausal);
  return spec;
}

}  // namespace

ModelSpec parse_a2d_llama(const ConfigReader& config, bool has_head) {
  return a2d_spec(parse_llama(config, has_head), config);
}

ModelSpec parse_a2d_qwen2(const ConfigReader& config, bool has_head) {
  return a2d_spec(parse_qwen2(config, has_head), config);
}

ModelSpec parse_a2d_qwen3(const ConfigReader& config, bool has_head) {
  return a2d_spec(parse_qwen3(config, has_head), config);
}

}  // namespace aios
