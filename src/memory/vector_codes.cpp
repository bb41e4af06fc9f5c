#include "memory/vector_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/dtype.h"

namespace aios {
namespace {

float largest_magnitude(std::span<const float> vector) noexcept {
  float largest = 0;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  return largest;
}

void encode_halves(std::span<const float> vectors, VectorPrecision precision, std::byte* out) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const uint16_t half =
        precision == VectorPrecision::kF16 ? float_to_f16(vectors[i]) : float_to_bf16(vectors[i]);
    std::memcpy(out + i * sizeof(half), &half, sizeof(half));
  }
}

void encode_bytes(std::span<const float> vector, float scale, std::byte* out) {
  const float factor = scale > 0 ? 1 / scale : 0;
  for (std::size_t k = 0; k < vector.size(); ++k) {
    out[k] = static_cast<std::byte>(std::lround(vector[k] * factor) + 128);
  }
}

void encode_bits(std::span<const float> vector, std::byte* out) {
  for (std::size_t k = 0; k < vector.size(); ++k) {
    if (vector[k] > 0) out[k / 8] |= std::byte{1} << (k % 8);
  }
}

}  // namespace

std::shared_ptr<const VectorCodes> encode_vectors(std::span<const float> vectors, int32_t dimension,
                                                  VectorPrecision precision) {
  const auto length = static_cast<std::size_t>(dimension);
  const std::size_t num_rows = vectors.size() / length;
  auto codes = std::make_shared<VectorCodes>();
  if (precision == VectorPrecision::kF16 || precision == VectorPrecision::kBF16) {
    codes->bytes = AlignedBuffer<std::byte>(vectors.size() * sizeof(uint16_t));
    encode_halves(vectors, precision, codes->bytes.data());
    return codes;
  }
  const bool binary = precision == VectorPrecision::kBinary;
  const std::size_t row_bytes =
      binary ? static_cast<std::size_t>(code_words(dimension)) * sizeof(uint64_t) : length;
  codes->bytes = AlignedBuffer<std::byte>(num_rows * row_bytes);
  std::fill_n(codes->bytes.data(), codes->bytes.size(), std::byte{0});
  for (std::size_t row = 0; row < num_rows; ++row) {
    const auto vector = vectors.subspan(row * length, length);
    std::byte* const out = codes->bytes.data() + row * row_bytes;
    if (binary) {
      encode_bits(vector, out);
    } else {
      codes->scales.push_back(largest_magnitude(vector) / 127);
      encode_bytes(vector, codes->scales.back(), out);
    }
  }
  return codes;
}

ByteQuery encode_byte_query(std::span<const float> query) {
  ByteQuery encoded;
  encoded.scale = largest_magnitude(query) / 127;
  const float factor = encoded.scale > 0 ? 1 / encoded.scale : 0;
  for (const float value : query) {
    encoded.bytes.push_back(static_cast<int8_t>(std::lround(value * factor)));
    encoded.sum += encoded.bytes.back();
  }
  return encoded;
}

}  // namespace aios
