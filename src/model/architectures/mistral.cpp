// Mistral (arXiv:2310.06825): Llama with a sliding window in every layer, of 4096 tokens unless
// config.json has another, or null for none; transformers: models/mistral/modeling_mistral.py.
#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace aios {

ModelSpec parse_mistral(const ConfigReader& config, bool has_head) {
  ModelSpec spec = decoder_spec("mistral", config, has_head);
  if (!config.is_null("sliding_window")) {
    const auto window = static_cast<int32_t>(config.size("sliding_window", 4096));
    spec.sliding_windows.assign(static_cast<std::size_t>(spec.num_hidden_layers), window);
  }
  return spec;
}

}  // namespace aios
