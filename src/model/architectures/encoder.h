/// What the descendants of BERT share.
#pragma once

#include <string>

#include "model/config_reader.h"
#include "model/model_spec.h"

namespace aios {

/// A post-norm LayerNorm network with learned positions, biases everywhere, a plain MLP, and a
/// masked-LM head or none. The caller fills in sizes and names.
[[nodiscard]] ModelSpec encoder_spec(std::string family, const ConfigReader& config, bool has_head);

/// BERT's sizes and layer names, which RoBERTa has as well. @throws FormatError
void set_bert_layers(ModelSpec& spec, const ConfigReader& config);

}  // namespace aios
