#include "tensor/tensor_view.h"

#include <cstring>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

/// Files may place tensors at any byte, so elements are copied out rather than pointed at.
template <typename Stored, typename Convert>
std::vector<float> widen(const TensorView& view, Convert convert) {
  std::vector<float> floats(view.num_bytes / sizeof(Stored));
  const std::byte* source = view.data;
  for (float& target : floats) {
    Stored stored;
    std::memcpy(&stored, source, sizeof(Stored));
    target = convert(stored);
    source += sizeof(Stored);
  }
  return floats;
}

}  // namespace

std::vector<float> to_floats(const TensorView& view) {
  if (view.is_quantized()) {
    throw FormatError("a tensor of quant_type " + std::string(quant_type_name(view.format.type)) +
                      " stands where elements as they are must be: only weight matrices and the "
                      "token embedding may be quantised");
  }
  switch (view.dtype) {
    case DType::kF32:
      return widen<float>(view, [](float value) { return value; });
    case DType::kBF16:
      return widen<uint16_t>(view, bf16_to_float);
    case DType::kF16:
      return widen<uint16_t>(view, f16_to_float);
    case DType::kF64:
      return widen<double>(view, [](double value) { return static_cast<float>(value); });
    default:
      throw FormatError("a tensor of dtype " + std::string(dtype_name(view.dtype)) +
                        " cannot be used as weights: f32, bf16, f16 or f64 is needed");
  }
}

}  // namespace aios
