#include "model/architectures/registry.h"

#include <array>

namespace aios {

std::span<const Architecture> known_architectures() noexcept {
  static constexpr std::array kArchitectures = {
      Architecture{"BertModel", "bert", false, parse_bert},
      Architecture{"BertForMaskedLM", "bert", true, parse_bert},
      Architecture{"BertForPreTraining", "bert", true, parse_bert},
      Architecture{"RobertaModel", "roberta", false, parse_roberta},
      Architecture{"RobertaForMaskedLM", "roberta", true, parse_roberta},
      Architecture{"DistilBertModel", "distilbert", false, parse_distilbert},
      Architecture{"DistilBertForMaskedLM", "distilbert", true, parse_distilbert},
      Architecture{"LlamaForCausalLM", "llama", true, parse_llama},
      Architecture{"LlamaModel", "llama", false, parse_llama},
      Architecture{"MistralForCausalLM", "mistral", true, parse_mistral},
      Architecture{"MistralModel", "mistral", false, parse_mistral},
      Architecture{"Qwen2ForCausalLM", "qwen2", true, parse_qwen2},
      Architecture{"Qwen2Model", "qwen2", false, parse_qwen2},
      Architecture{"Qwen3ForCausalLM", "qwen3", true, parse_qwen3},
      Architecture{"Qwen3Model", "qwen3", false, parse_qwen3},
      Architecture{"DreamModel", "Dream", true, parse_dream},
      Architecture{"LLaDAModelLM", "llada", true, parse_llada},
      Architecture{"A2DLlamaLMHeadModel", "a2d-llama", true, parse_a2d_llama},
      Architecture{"A2DQwen2LMHeadModel", "a2d-qwen2", true, parse_a2d_qwen2},
      Architecture{"A2DQwen3LMHeadModel", "a2d-qwen3", true, parse_a2d_qwen3},
  };
  return kArchitectures;
}

}  // namespace aios
