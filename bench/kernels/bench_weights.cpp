#include "bench_weights.h"

#include <algorithm>
#include <random>
#include <span>

#include "base/aligned_buffer.h"
#include "tensor/tensor_view.h"

namespace aios::bench {
namespace {

/// Numbers of [-1, 1].
void fill_floats(DType dtype, int64_t size, std::byte* out) {
  std::minstd_rand engine(1);
  for (int64_t i = 0; i < size; ++i) {
    const float value = static_cast<float>(engine() % 2001) / 1000.0F - 1.0F;
    if (dtype == DType::kF32) {
      reinterpret_cast<float*>(out)[i] = value;
    } else {
      reinterpret_cast<uint16_t*>(out)[i] = float_to_bf16(value);
    }
  }
}

/// Steps and starts so small that all points stay within the grid, as a quantiser's do: kernels may
/// take a slower way where they do not.
void stay_within_grid(std::span<std::byte> blocks) {
  constexpr std::byte kKept{0x57};
  for (std::byte& byte : blocks) byte &= kKept;
}

/// Any byte is a valid code.
void fill_codes(int64_t size, std::byte* out) {
  std::mt19937_64 engine(1);
  for (int64_t i = 0; i + 8 <= size; i += 8) reinterpret_cast<uint64_t*>(out)[i / 8] = engine();
}

}  // namespace

int64_t WeightFormat::bytes(int64_t rows, int64_t depth) const {
  if (!is_quantized()) return rows * depth * static_cast<int64_t>(dtype_size(dtype));
  return quantized.code_bytes(rows, depth) + quantized.block_bytes(rows, depth) +
         quantized.scale_bytes(rows, depth);
}

Weights::Weights(Backend& backend, const WeightFormat& format, int64_t columns, int64_t depth)
    : num_bytes(format.bytes(columns, depth)) {
  const auto memory =
      std::make_shared<AlignedBuffer<std::byte>>(static_cast<std::size_t>(num_bytes));
  TensorView view{format.dtype, {columns, depth}, memory->data(), memory->size(), memory};
  if (format.is_quantized()) {
    const QuantizedFormat& quantized = format.quantized;
    name = std::string(quant_type_name(quantized.type));
    const auto codes = static_cast<std::size_t>(quantized.code_bytes(columns, depth));
    const auto blocks = static_cast<std::size_t>(quantized.block_bytes(columns, depth));
    fill_codes(num_bytes, memory->data());
    view.num_bytes = codes;
    view.format = quantized;
    stay_within_grid({memory->data() + codes, blocks});
    view.blocks = {memory->data() + codes, blocks};
    view.scales = {memory->data() + codes + blocks, memory->size() - codes - blocks};
    auto* const scales = reinterpret_cast<uint16_t*>(memory->data() + codes + blocks);
    std::fill_n(scales, view.scales.size() / sizeof(uint16_t), float_to_f16(0.01F));
  } else {
    name = std::string(dtype_name(format.dtype));
    fill_floats(format.dtype, columns * depth, memory->data());
  }
  linear.weight = backend.load(view);
  linear.in_features = depth;
  linear.out_features = columns;
}

}  // namespace aios::bench
