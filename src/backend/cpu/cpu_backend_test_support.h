/// What the tests of the CPU backend share: random tensors and references in double.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "base/aligned_buffer.h"
#include "tensor/tensor_view.h"

namespace aios::backend_test {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  std::vector<float> normal(int64_t size, float deviation = 1.0F) {
    std::normal_distribution<float> distribution(0.0F, deviation);
    std::vector<float> values(static_cast<std::size_t>(size));
    for (float& value : values) value = distribution(engine_);
    return values;
  }
  uint8_t byte() { return static_cast<uint8_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

/// Values rounded to `dtype`, as a view that owns them.
inline TensorView make_view(const std::vector<float>& values, std::vector<int64_t> shape,
                            DType dtype = DType::kF32) {
  const std::size_t size = dtype_size(dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kF32) {
      std::memcpy(bytes->data() + i * size, &values[i], size);
    } else {
      const uint16_t bits =
          dtype == DType::kBF16 ? float_to_bf16(values[i]) : float_to_f16(values[i]);
      std::memcpy(bytes->data() + i * size, &bits, size);
    }
  }
  return {dtype, std::move(shape), bytes->data(), bytes->size(), bytes};
}

/// Random codes and blocks under scales that give weights of about `deviation`: points are spread
/// evenly over 256. Owns its parts.
inline TensorView make_quantized_view(Random& random, const QuantizedFormat& format, int64_t rows,
                                      int64_t depth, float deviation) {
  struct Parts {
    AlignedBuffer<uint8_t> codes, blocks;
    AlignedBuffer<uint16_t> scales;
  };
  const auto parts = std::make_shared<Parts>();
  const auto fill = [&](AlignedBuffer<uint8_t>& bytes, int64_t size) {
    bytes = AlignedBuffer<uint8_t>(static_cast<std::size_t>(size));
    for (uint8_t& byte : bytes.span()) byte = random.byte();
  };
  fill(parts->codes, format.code_bytes(rows, depth));
  fill(parts->blocks, format.block_bytes(rows, depth));
  parts->scales =
      AlignedBuffer<uint16_t>(static_cast<std::size_t>(format.scale_bytes(rows, depth)) / 2);
  constexpr float kPointsDeviation = 74;  // 256 / sqrt(12)
  for (uint16_t& scale : parts->scales.span()) {
    const float spread = 0.5F + static_cast<float>(random.byte()) / 256;
    scale = float_to_f16(spread * deviation / kPointsDeviation);
  }
  return {.dtype = DType::kBF16,
          .shape = {rows, depth},
          .data = reinterpret_cast<const std::byte*>(parts->codes.data()),
          .num_bytes = parts->codes.size(),
          .owner = parts,
          .format = format,
          .blocks = std::as_bytes(parts->blocks.span()),
          .scales = std::as_bytes(parts->scales.span())};
}

/// What a quantised view stands for, by its definition: exact in f32.
inline std::vector<float> dequantized(const TensorView& view) {
  const QuantizedMatrix matrix = view.quantized_matrix();
  std::vector<float> values;
  for (int64_t row = 0; row < matrix.rows; ++row) {
    for (int64_t k = 0; k < matrix.depth; ++k) {
      values.push_back(f16_to_float(matrix.scale(row, k)) *
                       static_cast<float>(matrix.point(row, k) - kGridZero));
    }
  }
  return values;
}

inline std::unique_ptr<Backend> make_backend(Isa isa, int num_threads = 1,
                                             ComputeType compute = ComputeType::kF32) {
  return make_cpu_backend(std::make_shared<ThreadPool>(num_threads), isa, compute);
}

inline BufferPtr make_buffer(Backend& backend, const std::vector<float>& values, int64_t rows) {
  BufferPtr buffer = backend.allocate(rows, static_cast<int64_t>(values.size()) / rows);
  backend.write(values, *buffer, 0);
  return buffer;
}

inline std::vector<float> contents(Backend& backend, const Buffer& buffer) {
  std::vector<float> values(static_cast<std::size_t>(buffer.rows() * buffer.columns()));
  backend.read(buffer, 0, values);
  return values;
}

/// A linear map with random weights, and its weights as the kernels see them.
struct TestLinear {
  Linear linear;
  TensorView view;  // the weight
  std::vector<float> weight;
  std::vector<float> bias;

  TestLinear(Backend& backend, Random& random, int64_t in, int64_t out, DType dtype = DType::kF32,
             bool with_bias = true)
      : view(make_view(random.normal(in * out, 1 / std::sqrt(static_cast<float>(in))), {out, in},
                       dtype)),
        weight(to_floats(view)) {
    load(backend, random, in, out, with_bias);
  }

  TestLinear(Backend& backend, Random& random, int64_t in, int64_t out,
             const QuantizedFormat& format)
      : view(make_quantized_view(random, format, out, in, 1 / std::sqrt(static_cast<float>(in)))),
        weight(dequantized(view)) {
    load(backend, random, in, out, true);
  }

  [[nodiscard]] double apply(const float* x, int64_t column) const {
    double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(column)];
    for (int64_t k = 0; k < linear.in_features; ++k) {
      sum += static_cast<double>(x[k]) *
             weight[static_cast<std::size_t>(column * linear.in_features + k)];
    }
    return sum;
  }

 private:
  void load(Backend& backend, Random& random, int64_t in, int64_t out, bool with_bias) {
    linear.weight = backend.load(view);
    linear.in_features = in;
    linear.out_features = out;
    if (!with_bias) return;
    bias = random.normal(out);
    linear.bias = backend.load(make_view(bias, {out}));
  }
};

}  // namespace aios::backend_test
