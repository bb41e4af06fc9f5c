/// The families of networks that this engine knows, one file each.
#pragma once

#include <span>

#include "model/config_reader.h"
#include "model/model_spec.h"

namespace aios {

/// One name that config.json may give.
struct Architecture {
  const char* name;        ///< in `architectures`
  const char* model_type;  ///< where `architectures` is absent, the first with this type is meant
  bool has_head;           ///< scores of the vocabulary, or hidden states only
  ModelSpec (*parse)(const ConfigReader& config, bool has_head);
};

[[nodiscard]] std::span<const Architecture> known_architectures() noexcept;

// One per file; each throws FormatError for a configuration that it does not implement.
ModelSpec parse_bert(const ConfigReader& config, bool has_head);
ModelSpec parse_roberta(const ConfigReader& config, bool has_head);
ModelSpec parse_distilbert(const ConfigReader& config, bool has_head);
ModelSpec parse_llama(const ConfigReader& config, bool has_head);
ModelSpec parse_mistral(const ConfigReader& config, bool has_head);
ModelSpec parse_qwen2(const ConfigReader& config, bool has_head);
ModelSpec parse_qwen3(const ConfigReader& config, bool has_head);
ModelSpec parse_dream(const ConfigReader& config, bool has_head);
ModelSpec parse_llada(const ConfigReader& config, bool has_head);
ModelSpec parse_a2d_llama(const ConfigReader& config, bool has_head);
ModelSpec parse_a2d_qwen2(const ConfigReader& config, bool has_head);
ModelSpec parse_a2d_qwen3(const ConfigReader& config, bool has_head);

}  // namespace aios
