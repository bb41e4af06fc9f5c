/// One query against many stored vectors: the scan of a vector search.
#pragma once

#include <cstdint>

namespace aios {

/// out[i] = sum over k of query[k] * rows[i, k], f32, in an order that depends on `dimension`
/// alone. rows [num_rows, dimension] of f32, bf16 or f16, any alignment of their type.
using DotRowsFunction = void (*)(const float* query, const void* rows, int64_t num_rows,
                                 int64_t dimension, float* out) noexcept;

/// out[i] = sum over k of query[k] * rows[i, k]; exact while dimension <= 65536.
using DotByteRowsFunction = void (*)(const int8_t* query, const uint8_t* rows, int64_t num_rows,
                                     int64_t dimension, int32_t* out) noexcept;

/// out[i] = sum over k of query[k] * rows[ids[i], k]: rows that lie apart. `stride` is the size of
/// query and rows, a multiple of kListedRowUnit; exact while it is at most 65536.
using DotListedRowsFunction = void (*)(const int8_t* query, const uint8_t* rows, int64_t stride,
                                       const uint32_t* ids, int64_t count, int32_t* out) noexcept;
inline constexpr int64_t kListedRowUnit = 64;

/// out[q * out_stride + i] = sum over k of queries[q, k] * rows[i, k], for many queries at once.
/// Queries and `out` have room for a multiple of kByteQueryUnit queries, whose results are
/// nobody's; queries are padded with zeros to `stride`, a multiple of kListedRowUnit that is at
/// most 65536; behind the last row kListedRowUnit bytes can be read.
struct ByteMatrixArguments {
  const int8_t* queries = nullptr;  // [num_queries, stride]
  int64_t num_queries = 0;
  int64_t stride = 0;
  const uint8_t* rows = nullptr;  // [num_rows, dimension]
  int64_t num_rows = 0;
  int64_t dimension = 0;
  int32_t* out = nullptr;
  int64_t out_stride = 0;
};
inline constexpr int64_t kByteQueryUnit = 16;

/// out[i] = (products[i] - zero) * (scale * factors[i])
using ScaleProductsFunction = void (*)(const int32_t* products, int32_t zero, float scale,
                                       const float* factors, int64_t count, float* out) noexcept;

/// Codes of half a byte lie in panels of this many rows: the first byte of each row, then the
/// second of each.
inline constexpr int64_t kCodePanelRows = 64;

/// sums[i] = sum over the bytes j of row i of table[2 j][low half] + table[2 j + 1][high half].
/// table [2 num_bytes, 16], entries at most 127, and the greatest sum below 65536.
/// codes [num_panels, num_bytes, kCodePanelRows]. André et al., Cache locality is not enough (VLDB
/// 2015): tables in registers.
using SumCodesFunction = void (*)(const uint8_t* table, const uint8_t* codes, int64_t num_panels,
                                  int64_t num_bytes, uint16_t* sums) noexcept;

/// scores[i] = scores[i] * factors[i] + offsets[i] (null: 1 and 0); `selected` gets every i with
/// scores[i] >= threshold, ascending. @return how many there are
using SelectScoresFunction = int64_t (*)(float* scores, const float* factors, const float* offsets,
                                         int64_t count, float threshold,
                                         int32_t* selected) noexcept;

void dot_rows_f32_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept;
void dot_rows_bf16_reference(const float* query, const void* rows, int64_t num_rows,
                             int64_t dimension, float* out) noexcept;
void dot_rows_f16_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept;
void dot_rows_u8_reference(const int8_t* query, const uint8_t* rows, int64_t num_rows,
                           int64_t dimension, int32_t* out) noexcept;
void dot_listed_rows_u8_reference(const int8_t* query, const uint8_t* rows, int64_t stride,
                                  const uint32_t* ids, int64_t count, int32_t* out) noexcept;
void dot_byte_matrix_reference(const ByteMatrixArguments& arguments) noexcept;
void scale_products_reference(const int32_t* products, int32_t zero, float scale,
                              const float* factors, int64_t count, float* out) noexcept;
void sum_codes_reference(const uint8_t* table, const uint8_t* codes, int64_t num_panels,
                         int64_t num_bytes, uint16_t* sums) noexcept;
int64_t select_scores_reference(float* scores, const float* factors, const float* offsets,
                                int64_t count, float threshold, int32_t* selected) noexcept;

}  // namespace aios
