#include "kernels/quantized_matmul.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/dtype.h"

namespace aios {
namespace {

constexpr float kSmallestMaximum = 1e-30F;  // 127 / maximum stays finite
constexpr float kMaxCode = 127.0F;

}  // namespace

void quantize_row_reference(const float* x, int64_t depth, const QuantizedRow& row) noexcept {
  float maximum = 0;
  bool finite = true;
  for (int64_t k = 0; k < depth; ++k) {
    finite = finite && std::isfinite(x[k]);
    maximum = std::max(maximum, std::abs(x[k]));
  }
  const bool zero = !finite || maximum < kSmallestMaximum;
  *row.scale = !finite ? std::numeric_limits<float>::quiet_NaN() : zero ? 0 : maximum / kMaxCode;
  const float factor = zero ? 0 : kMaxCode / maximum;
  row.sums[0] = 0;
  int32_t sum = 0;
  for (int64_t k = 0; k < QuantizedFormat::padded(depth); ++k) {
    const bool is_code = !zero && k < depth;
    row.code(k) = static_cast<int8_t>(is_code ? std::nearbyint(x[k] * factor) : 0);
    sum += row.code(k);
    if (k % kDepthUnit == kDepthUnit - 1) row.sums[k / kDepthUnit + 1] = sum;
  }
}

void quantized_matmul_reference(const QuantizedMatmulArguments& a) noexcept {
  const QuantizedMatrix& weights = *a.weights;
  const int64_t step = std::min(kMaxGroup, weights.format.group_length(weights.depth));
  for (int64_t m = 0; m < a.rows; ++m) {
    const int8_t* const x = a.x + quantized_row_offset(m, weights.depth);
    for (int64_t n = 0; n < a.columns; ++n) {
      float sum = 0;
      for (int64_t begin = 0; begin < weights.depth; begin += step) {
        int32_t products = 0;
        for (int64_t k = begin; k < std::min(begin + step, weights.depth); ++k) {
          const int64_t place = k / kWordDepth * kBlockRows * kWordDepth + k % kWordDepth;
          products += x[place] * (weights.point(a.column + n, k) - static_cast<int32_t>(kGridZero));
        }
        const float scale = f16_to_float(weights.scale(a.column + n, begin));
        sum = std::fma(static_cast<float>(products), scale, sum);
      }
      a.out[m * a.out_stride + n] = sum * a.x_scales[m];
    }
  }
}

void dequantize_row(const QuantizedMatrix& weights, int64_t row, float* out) noexcept {
  for (int64_t k = 0; k < weights.depth; ++k) {
    const int32_t offset = weights.point(row, k) - static_cast<int32_t>(kGridZero);
    out[k] = f16_to_float(weights.scale(row, k)) * static_cast<float>(offset);
  }
}

}  // namespace aios
