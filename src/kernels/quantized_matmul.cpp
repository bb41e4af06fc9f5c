#include "kernels/quantized_matmul.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/dtype.h"

namespace aios {
namespace {

void quantize_row(const float* x, int64_t depth, const QuantizedRow& row) noexcept {
  const int64_t padded_depth = row.layout.padded(depth);
  for (int64_t begin = 0; begin < padded_depth; begin += kMaxGroup) {
    const int64_t end = std::min(begin + kMaxGroup, padded_depth);
    int32_t sum = 0;
    float maximum = 0;
    bool finite = true;
    for (int64_t k = begin; k < std::min(end, depth); ++k) {
      finite = finite && std::isfinite(x[k]);
      maximum = std::max(maximum, std::abs(x[k]));
    }
    const bool zero = !finite || maximum < kSmallestMaximum;
    row.scale(begin) = !finite ? std::numeric_limits<float>::quiet_NaN()
                       : zero  ? 0
                               : maximum / kMaxCode;
    const float factor = zero ? 0 : kMaxCode / maximum;
    for (int64_t k = begin; k < end; ++k) {
      const bool is_code = !zero && k < depth;
      row.code(k) = static_cast<int8_t>(is_code ? std::nearbyint(x[k] * factor) : 0);
      sum += row.code(k);
      const bool ends_unit = k % kDepthUnit == kDepthUnit - 1;
      if (ends_unit && k / kDepthUnit < num_row_starts(depth)) {
        row.start(k) = -static_cast<int32_t>(kGridZero) * sum;
      }
    }
  }
}

}  // namespace

void quantize_rows_reference(const float* x, int64_t x_stride, int64_t num_rows, int64_t depth,
                             const QuantizedRows& rows) noexcept {
  for (int64_t m = 0; m < num_rows; ++m) quantize_row(x + m * x_stride, depth, rows.row(m));
}

void quantized_matmul_reference(const QuantizedMatmulArguments& a) noexcept {
  const QuantizedMatrix& weights = *a.weights;
  const bool whole_rows = weights.format.group_size == 0;
  const int64_t step = whole_rows ? kMaxGroup : weights.format.group_size;
  for (int64_t m = 0; m < a.rows; ++m) {
    const int8_t* const x = a.x + a.layout.row_offset(m, weights.depth);
    for (int64_t n = 0; n < a.columns; ++n) {
      float sum = 0;
      for (int64_t begin = 0; begin < weights.depth; begin += step) {
        int32_t products = 0;
        for (int64_t k = begin; k < std::min(begin + step, weights.depth); ++k) {
          products += x[a.layout.step_offset(k)] *
                      (weights.point(a.column + n, k) - static_cast<int32_t>(kGridZero));
        }
        const float x_scale = a.x_scales[begin / kMaxGroup * a.x_stride + m];
        const auto whole = static_cast<float>(products);
        sum = whole_rows ? std::fma(whole, x_scale, sum)
                         : std::fma(whole * x_scale,
                                    f16_to_float(weights.scale(a.column + n, begin)), sum);
      }
      const float scale = whole_rows ? f16_to_float(weights.scale(a.column + n, 0)) : 1.0F;
      float& out = a.out[m * a.out_stride + n];
      float result = sum * scale;
      if (a.bias != nullptr) result += a.bias[n];
      out = a.adds ? out + result : result;
    }
  }
}

void dequantize_row(const QuantizedMatrix& weights, int64_t row, float* out) noexcept {
  const int64_t group = weights.format.group_length(weights.depth);
  const uint8_t* const bytes =
      weights.panel_codes(row / kPanelRows) + row % kPanelRows * kWordDepth;
  const bool is_int8 = weights.format.type == QuantType::kInt8;  // the points as they lie
  for (int64_t begin = 0; begin < weights.depth; begin += group) {
    const float scale = f16_to_float(weights.scale(row, begin));
    for (int64_t k = begin; k < std::min(begin + group, weights.depth); ++k) {
      const int64_t place = k / kWordDepth * kPanelRows * kWordDepth + k % kWordDepth;
      const int64_t point = is_int8 ? bytes[place] : weights.point(row, k);
      out[k] = scale * static_cast<float>(point - kGridZero);
    }
  }
}

}  // namespace aios
