#include "convert/quantization_policy.h"

#include "aios/error.h"

namespace aios {

void require_floats(const WeightLoader& weights) {
  for (const TensorInfo& info : weights.tensors()) {
    if (!weights.tensor(info.name).is_quantized()) continue;
    throw FormatError("tensor '" + info.name +
                      "' is quantised already: start from the model it was made of");
  }
}

int32_t default_group_size(QuantType type) noexcept { return type == QuantType::kInt8 ? 0 : 128; }

QuantizationPlan plan_quantization(const std::map<std::string, WeightRole>& roles,
                                   const QuantizedFormat& format) {
  const QuantType wider = format.type == QuantType::kInt2 ? QuantType::kInt4 : QuantType::kInt8;
  QuantizationPlan plan;
  for (const auto& [name, role] : roles) {
    const bool is_body = role.layer >= 0;
    plan[name] = is_body || format.type == wider
                     ? format
                     : QuantizedFormat{wider, default_group_size(wider)};
  }
  return plan;
}

}  // namespace aios
