/// Which matrices of a checkpoint are what to the network: for quantisation and probing.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/model_spec.h"
#include "storage/weight_loader.h"

namespace aios {

enum class WeightKind {
  kTokenEmbedding,  // the head too, where they are tied
  kHead,
  kQuery,
  kKey,
  kValue,
  kAttentionOutput,
  kGate,
  kUp,
  kDown,
};

struct WeightRole {
  WeightKind kind = WeightKind::kTokenEmbedding;
  int64_t layer = -1;  ///< -1 outside of layers
};

/// `token_embedding`, `head`, `query`, `key`, `value`, `attention_output`, `gate`, `up`, `down`.
[[nodiscard]] const char* weight_kind_name(WeightKind kind) noexcept;

/// Roles by tensor name of all matrices that linear maps and the token embedding use.
[[nodiscard]] std::map<std::string, WeightRole> weight_roles(const ModelSpec& spec,
                                                             const WeightLoader& weights);

}  // namespace aios
