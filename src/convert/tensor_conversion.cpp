#include "convert/tensor_conversion.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "aios/error.h"

namespace aios {
namespace {

bool is_float(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kBF16 ||
         dtype == DType::kF16;
}

}  // namespace

DType output_dtype(const TensorView& tensor, std::optional<DType> wanted) {
  if (!wanted || !is_float(tensor.dtype)) return tensor.dtype;
  return tensor.shape.size() >= 2 ? *wanted : DType::kF32;
}

TensorView convert_tensor(const std::string& name, const TensorView& tensor, DType dtype) {
  if (dtype == tensor.dtype) return tensor;
  const std::vector<float> values = to_floats(tensor);
  const auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * dtype_size(dtype));
  if (dtype == DType::kF32) {
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(bytes->data()));
  } else {
    auto* halves = reinterpret_cast<uint16_t*>(bytes->data());
    const auto narrow = dtype == DType::kBF16 ? float_to_bf16 : float_to_f16;
    constexpr float kMaxF16 = 65504.0F;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (dtype == DType::kF16 && std::isfinite(values[i]) && std::abs(values[i]) > kMaxF16) {
        throw FormatError("tensor '" + name + "' holds " + std::to_string(values[i]) +
                          ", which f16 cannot; convert to bf16 instead");
      }
      halves[i] = narrow(values[i]);
    }
  }
  return {dtype, tensor.shape, bytes->data(), bytes->size(), bytes};
}

}  // namespace aios
