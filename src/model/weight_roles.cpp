#include "model/weight_roles.h"

#include <array>
#include <utility>

#include "model/weight_binder.h"

namespace aios {

const char* weight_kind_name(WeightKind kind) noexcept {
  switch (kind) {
    case WeightKind::kTokenEmbedding:
      return "token_embedding";
    case WeightKind::kHead:
      return "head";
    case WeightKind::kQuery:
      return "query";
    case WeightKind::kKey:
      return "key";
    case WeightKind::kValue:
      return "value";
    case WeightKind::kAttentionOutput:
      return "attention_output";
    case WeightKind::kGate:
      return "gate";
    case WeightKind::kUp:
      return "up";
    case WeightKind::kDown:
      return "down";
  }
  return "unknown";
}

std::map<std::string, WeightRole> weight_roles(const ModelSpec& spec, const WeightLoader& weights) {
  const TensorNames names = resolve_names(spec.names, weights);
  std::map<std::string, WeightRole> roles;
  const auto add = [&](const std::string& name, WeightRole role) {
    const std::string tensor = name + ".weight";
    if (weights.contains(tensor)) roles.emplace(tensor, role);
  };
  add(names.token_embedding, {WeightKind::kTokenEmbedding});
  if (spec.head != HeadKind::kNone) {
    add(names.head, {WeightKind::kHead});
    add(names.head_transform, {WeightKind::kHead});
  }
  const std::array<std::pair<const std::string*, WeightKind>, 7> patterns{
      {{&names.query, WeightKind::kQuery},
       {&names.key, WeightKind::kKey},
       {&names.value, WeightKind::kValue},
       {&names.attention_output, WeightKind::kAttentionOutput},
       {&names.gate, WeightKind::kGate},
       {&names.up, WeightKind::kUp},
       {&names.down, WeightKind::kDown}}};
  for (int64_t layer = 0; layer < spec.num_hidden_layers; ++layer) {
    for (const auto& [pattern, kind] : patterns) add(layer_name(*pattern, layer), {kind, layer});
  }
  return roles;
}

}  // namespace aios
