/// One tensor of a checkpoint in the type that a conversion gives it.
#pragma once

#include <optional>
#include <string>

#include "tensor/tensor_view.h"

namespace aios {

/// The type a tensor gets that is not quantised: matrices the one asked for; vectors (norms,
/// biases) f32, as they weigh nothing and rounding them would cost accuracy; integers and masks
/// stay.
/// @param wanted nothing: as it is
[[nodiscard]] DType output_dtype(const TensorView& tensor, std::optional<DType> wanted);

/// @param tensor not quantised @param name for messages
/// @throws FormatError if an element does not fit f16
[[nodiscard]] TensorView convert_tensor(const std::string& name, const TensorView& tensor,
                                        DType dtype);

}  // namespace aios
