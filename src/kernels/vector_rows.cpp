#include "kernels/vector_rows.h"

#include <bit>

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

void hamming_rows_reference(const uint64_t* query, const uint64_t* rows, int64_t num_rows,
                            int64_t num_words, int32_t* out) noexcept {
  for (int64_t i = 0; i < num_rows; ++i, rows += num_words) {
    int32_t sum = 0;
    for (int64_t k = 0; k < num_words; ++k) sum += std::popcount(query[k] ^ rows[k]);
    out[i] = sum;
  }
}

}  // namespace aios
