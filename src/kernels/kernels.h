/// The table of kernels, one per instruction set. All are noexcept and thread-safe: they touch
/// nothing but what their arguments point at.
#pragma once

#include <cstdint>

#include "base/cpu_features.h"
#include "kernels/attention.h"
#include "kernels/logit_scan.h"
#include "kernels/matmul.h"
#include "kernels/normalize.h"
#include "kernels/quantized_matmul.h"
#include "kernels/vector_rows.h"

namespace aios {

/// The most rows and columns of a product that one thread takes at a time: its results, and what it
/// reads again and again, stay in the second-level cache, half of which a neighbour may need.
struct TileSize {
  int64_t rows = 256;
  int64_t columns = 128;
};

/// Named op_activation_weight where types matter. Each member's contract stands at its
/// `_reference`.
struct Kernels {
  MatmulFunction matmul_f32_f32;
  MatmulFunction matmul_f32_bf16;
  MatmulFunction matmul_f32_f16;
  MatmulFunction matmul_bf16_bf16;  // bf16 products, f32 sums; null where there are no bf16 dots
  /// The same part of `rows` rows of one group, `x_stride` floats apart: `out` is the `bf16_offset`
  /// of the first row's first column, which is even. After an odd `size` the pairs are filled with
  /// zeros. Null where there is no matmul_bf16_bf16.
  void (*f32_to_bf16)(const float* x, int64_t x_stride, int64_t rows, uint16_t* out,
                      int64_t size) noexcept;
  int64_t bf16_row_group;  // of `bf16_offset`; a matmul's first row begins a group

  QuantizedLayout quantized_layout;  // of the rows that the next two write and read
  QuantizeRowsFunction quantize_rows;
  QuantizedMatmulFunction quantized_matmul;

  TileSize tile_size;       // of weights that are turned or decoded: more rows share that
  TileSize int8_tile_size;  // of int8 weights

  void (*attention)(const AttentionArguments&) noexcept;
  LogitScanFunction scan_logits;

  void (*rms_norm)(const NormalizeArguments&) noexcept;
  void (*layer_norm)(const NormalizeArguments&) noexcept;
  void (*rotate)(const float* cosines, const float* sines, float* x, int64_t half) noexcept;

  void (*silu)(float* x, int64_t size) noexcept;
  void (*gelu)(float* x, int64_t size) noexcept;
  void (*gelu_tanh)(float* x, int64_t size) noexcept;
  void (*relu)(float* x, int64_t size) noexcept;
  void (*tanh)(float* x, int64_t size) noexcept;

  void (*add)(const float* x, float* y, int64_t size) noexcept;
  void (*multiply)(const float* x, float* y, int64_t size) noexcept;
  void (*scale)(float factor, float* y, int64_t size) noexcept;
  void (*scale_add)(float factor, const float* x, float* y, int64_t size) noexcept;
  float (*dot)(const float* x, const float* y, int64_t size) noexcept;

  void (*f32_to_f32)(const void* x, float* out, int64_t size) noexcept;
  void (*bf16_to_f32)(const void* x, float* out, int64_t size) noexcept;
  void (*f16_to_f32)(const void* x, float* out, int64_t size) noexcept;

  DotRowsFunction dot_rows_f32;
  DotRowsFunction dot_rows_bf16;
  DotRowsFunction dot_rows_f16;
  DotByteRowsFunction dot_rows_u8;
  DotListedRowsFunction dot_listed_rows_u8;
  void (*dot_byte_matrix)(const ByteMatrixArguments&) noexcept;
  ScaleProductsFunction scale_products;
  SumCodesFunction sum_codes;
  SelectScoresFunction select_scores;
};

/// @param isa one that this processor can run and this build contains (`choose_isa()`)
[[nodiscard]] const Kernels& kernels_for(Isa isa) noexcept;

}  // namespace aios
