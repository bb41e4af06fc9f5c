#include "kernels/vector_rows.h"

#include "tensor/dtype.h"

namespace aios {
namespace {

template <typename Stored, typename Widen>
void dot_rows(const float* query, const void* rows, int64_t num_rows, int64_t dimension, float* out,
              Widen widen) noexcept {
  const auto* row = static_cast<const Stored*>(rows);
  for (int64_t i = 0; i < num_rows; ++i, row += dimension) {
    float sum = 0;
    for (int64_t k = 0; k < dimension; ++k) sum += query[k] * widen(row[k]);
    out[i] = sum;
  }
}

}  // namespace

void dot_rows_f32_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept {
  dot_rows<float>(query, rows, num_rows, dimension, out, [](float value) { return value; });
}

void dot_rows_bf16_reference(const float* query, const void* rows, int64_t num_rows,
                             int64_t dimension, float* out) noexcept {
  dot_rows<uint16_t>(query, rows, num_rows, dimension, out, bf16_to_float);
}

void dot_rows_f16_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept {
  dot_rows<uint16_t>(query, rows, num_rows, dimension, out, f16_to_float);
}

void dot_rows_u8_reference(const int8_t* query, const uint8_t* rows, int64_t num_rows,
                           int64_t dimension, int32_t* out) noexcept {
  for (int64_t i = 0; i < num_rows; ++i, rows += dimension) {
    int32_t sum = 0;
    for (int64_t k = 0; k < dimension; ++k) sum += int32_t{query[k]} * rows[k];
    out[i] = sum;
  }
}

void dot_listed_rows_u8_reference(const int8_t* query, const uint8_t* rows, int64_t stride,
                                  const uint32_t* ids, int64_t count, int32_t* out) noexcept {
  for (int64_t i = 0; i < count; ++i) {
    dot_rows_u8_reference(query, rows + ids[i] * stride, 1, stride, out + i);
  }
}

void dot_byte_matrix_reference(const ByteMatrixArguments& a) noexcept {
  for (int64_t q = 0; q < a.num_queries; ++q) {
    dot_rows_u8_reference(a.queries + q * a.stride, a.rows, a.num_rows, a.dimension,
                          a.out + q * a.out_stride);
  }
}

void scale_products_reference(const int32_t* products, int32_t zero, float scale,
                              const float* factors, int64_t count, float* out) noexcept {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(products[i] - zero) * (scale * factors[i]);
  }
}

void sum_codes_reference(const uint8_t* table, const uint8_t* codes, int64_t num_panels,
                         int64_t num_bytes, uint16_t* sums) noexcept {
  for (int64_t i = 0; i < num_panels * kCodePanelRows; ++i) {
    const int64_t panel = i / kCodePanelRows;
    const uint8_t* const row = codes + panel * num_bytes * kCodePanelRows + i % kCodePanelRows;
    int32_t sum = 0;
    for (int64_t j = 0; j < num_bytes; ++j) {
      const int code = row[j * kCodePanelRows];
      sum += table[32 * j + code % 16] + table[32 * j + 16 + code / 16];
    }
    sums[i] = static_cast<uint16_t>(sum);
  }
}

int64_t select_scores_reference(float* scores, const float* factors, const float* offsets,
                                int64_t count, float threshold, int32_t* selected) noexcept {
  int64_t num_selected = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (factors != nullptr) scores[i] *= factors[i];
    if (offsets != nullptr) scores[i] += offsets[i];
    if (scores[i] >= threshold) selected[num_selected++] = static_cast<int32_t>(i);
  }
  return num_selected;
}

}  // namespace aios
