#include "memory/vector_codes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/vector_rows.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

/// Magnitudes compare as their bits do, and compilers make vectors of integer maxima.
float largest_magnitude(std::span<const float> vector) noexcept {
  uint32_t largest = 0;
  for (const float value : vector) {
    largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7fffffffU);
  }
  return std::bit_cast<float>(largest);
}

/// The nearest integer, ties to even, of a value between -2^22 and 2^22: added to 1.5 * 2^23, whose
/// spacing is 1, it lies in the low bits.
int32_t round_small(float value) noexcept {
  constexpr float kShift = 0x1.8p23F;
  return std::bit_cast<int32_t>(value + kShift) - std::bit_cast<int32_t>(kShift);
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
    out[k] = static_cast<std::byte>(round_small(vector[k] * factor) + 128);
  }
}

/// The signs of one row, into its column of a panel. @return the row's scale
float encode_signs(std::span<const float> vector, std::byte* column) {
  double squares = 0;
  double magnitudes = 0;
  for (std::size_t first = 0; first < vector.size(); first += 8) {
    unsigned byte = 0;
    const std::size_t count = std::min<std::size_t>(8, vector.size() - first);
    for (std::size_t k = 0; k < count; ++k) {
      const float value = vector[first + k];
      byte |= (value > 0 ? 1U : 0U) << k;
      squares += static_cast<double>(value) * value;
      magnitudes += std::abs(value);
    }
    column[first / 8 * kCodePanelRows] = static_cast<std::byte>(byte);
  }
  return magnitudes > 0 ? static_cast<float>(squares / magnitudes) : 0;
}

/// Sums of the four elements' subsets: bit i of the index stands for element i.
std::array<float, 16> subset_sums(std::span<const float> elements) {
  std::array<float, 16> sums{};
  for (std::size_t code = 1; code < sums.size(); ++code) {
    const auto lowest = static_cast<std::size_t>(std::countr_zero(code));
    sums[code] = sums[code & (code - 1)] + (lowest < elements.size() ? elements[lowest] : 0);
  }
  return sums;
}

std::shared_ptr<const VectorCodes> encode_all_signs(std::span<const float> vectors,
                                                    std::size_t length) {
  constexpr auto kPanel = static_cast<std::size_t>(kCodePanelRows);
  const std::size_t num_rows = vectors.size() / length;
  const std::size_t panel_bytes =
      static_cast<std::size_t>(sign_bytes(static_cast<int64_t>(length))) * kPanel;
  auto codes = std::make_shared<VectorCodes>();
  codes->bytes = AlignedBuffer<std::byte>((num_rows + kPanel - 1) / kPanel * panel_bytes);
  std::fill_n(codes->bytes.data(), codes->bytes.size(), std::byte{0});
  for (std::size_t row = 0; row < num_rows; ++row) {
    std::byte* const column = codes->bytes.data() + row / kPanel * panel_bytes + row % kPanel;
    codes->scales.push_back(encode_signs(vectors.subspan(row * length, length), column));
  }
  return codes;
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
  if (precision == VectorPrecision::kBinary) return encode_all_signs(vectors, length);
  // Products of many queries read on behind the last row.
  codes->bytes =
      AlignedBuffer<std::byte>(vectors.size() + static_cast<std::size_t>(kListedRowUnit));
  std::fill_n(codes->bytes.data() + vectors.size(), kListedRowUnit, std::byte{0});
  for (std::size_t row = 0; row < num_rows; ++row) {
    const auto vector = vectors.subspan(row * length, length);
    codes->scales.push_back(largest_magnitude(vector) / 127);
    encode_bytes(vector, codes->scales.back(), codes->bytes.data() + row * length);
  }
  return codes;
}

std::vector<float> row_factors(std::span<const float> norms, Metric metric) {
  std::vector<float> factors;
  if (metric == Metric::kInnerProduct) return factors;
  for (const float norm : norms) {
    factors.push_back(metric == Metric::kL2 ? -norm * norm : (norm > 0 ? 1 / norm : 0));
  }
  return factors;
}

std::vector<RowScore> row_scores(std::span<const float> scales, std::span<const float> norms,
                                 Metric metric) {
  const std::vector<float> factors = row_factors(norms, metric);
  std::vector<RowScore> scores;
  for (std::size_t i = 0; i < scales.size(); ++i) {
    scores.push_back({metric == Metric::kCosine ? scales[i] * factors[i] : scales[i],
                      metric == Metric::kL2 ? factors[i] : 0});
  }
  return scores;
}

ByteQuery encode_byte_query(std::span<const float> query) {
  ByteQuery encoded;
  encoded.scale = largest_magnitude(query) / 127;
  const float factor = encoded.scale > 0 ? 1 / encoded.scale : 0;
  for (const float value : query) {
    encoded.bytes.push_back(static_cast<int8_t>(round_small(value * factor)));
    encoded.sum += encoded.bytes.back();
  }
  return encoded;
}

SignQuery encode_sign_query(std::span<const float> query) {
  // The product with signs is 2 * (sum of the elements where they are set) - sum of all.
  const std::size_t num_bytes = static_cast<std::size_t>(sign_bytes(std::ssize(query)));
  std::vector<std::array<float, 16>> groups;
  double total = 0;
  double least_total = 0;
  double range_total = 0;
  float range = 0;
  for (std::size_t group = 0; group < 2 * num_bytes; ++group) {
    const std::size_t first = std::min(4 * group, query.size());
    const auto elements = query.subspan(first, std::min<std::size_t>(4, query.size() - first));
    groups.push_back(subset_sums(elements));
    const auto [least, greatest] = std::minmax_element(groups.back().begin(), groups.back().end());
    least_total += *least;
    range_total += *greatest - *least;
    range = std::max(range, *greatest - *least);
    for (const float value : elements) total += value;
  }
  constexpr float kMaxEntry = 127;
  constexpr double kMaxSum = 65535;
  const auto room = kMaxSum - static_cast<double>(groups.size());  // for rounding up
  SignQuery encoded;
  encoded.step = std::max(range / kMaxEntry, static_cast<float>(range_total / room));
  const float factor = encoded.step > 0 ? 1 / encoded.step : 0;
  for (const std::array<float, 16>& sums : groups) {
    const float least = *std::min_element(sums.begin(), sums.end());
    for (const float sum : sums) {
      encoded.table.push_back(
          static_cast<uint8_t>(std::min(round_small((sum - least) * factor), 127)));
    }
  }
  encoded.step *= 2;
  encoded.offset = static_cast<float>(2 * least_total - total);
  return encoded;
}

}  // namespace aios
