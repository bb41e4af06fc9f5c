/// One query against many stored vectors, row after row: the scan of a vector search.
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

/// out[i] = number of bits in which rows[i] differs from the query, both of `num_words` words.
using HammingRowsFunction = void (*)(const uint64_t* query, const uint64_t* rows, int64_t num_rows,
                                     int64_t num_words, int32_t* out) noexcept;

void dot_rows_f32_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept;
void dot_rows_bf16_reference(const float* query, const void* rows, int64_t num_rows,
                             int64_t dimension, float* out) noexcept;
void dot_rows_f16_reference(const float* query, const void* rows, int64_t num_rows,
                            int64_t dimension, float* out) noexcept;
void dot_rows_u8_reference(const int8_t* query, const uint8_t* rows, int64_t num_rows,
                           int64_t dimension, int32_t* out) noexcept;
void hamming_rows_reference(const uint64_t* query, const uint64_t* rows, int64_t num_rows,
                            int64_t num_words, int32_t* out) noexcept;

}  // namespace aios
