#include "convert/quantization_policy.h"

namespace aios {

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
