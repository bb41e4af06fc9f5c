/// Which tensors a conversion rounds to how many bits.
#pragma once

#include <map>
#include <string>

#include "model/weight_roles.h"
#include "storage/weight_loader.h"

namespace aios {

/// Formats by tensor name; tensors that it leaves out keep their elements.
using QuantizationPlan = std::map<std::string, QuantizedFormat>;

/// Weight matrices of layers get `format`. What the whole text passes through is kept wider: the
/// token embedding and the head have 8 bits beside layers of 4 and 8, and 4 bits beside layers of
/// 2.
[[nodiscard]] QuantizationPlan plan_quantization(const std::map<std::string, WeightRole>& roles,
                                                 const QuantizedFormat& format);

/// Weights are rounded once: what has codes already has lost what a second rounding would need.
/// @throws FormatError if a tensor has
void require_floats(const WeightLoader& weights);

/// The group size that a type has unless told otherwise: whole rows at 8 bits, else 128.
[[nodiscard]] int32_t default_group_size(QuantType type) noexcept;

}  // namespace aios
