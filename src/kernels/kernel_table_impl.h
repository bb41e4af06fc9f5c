/// The table of an instruction set, from its struct. A translation unit of kernels includes this,
/// and no inline code of the standard library: the linker keeps one copy of each inline function,
/// and it might keep one compiled for an instruction set that another processor lacks.
#pragma once

#include "kernels/attention_impl.h"
#include "kernels/elementwise_impl.h"
#include "kernels/kernel_tables.h"
#include "kernels/logit_scan_impl.h"
#include "kernels/matmul_impl.h"
#include "kernels/normalize_impl.h"
#include "kernels/quantize_rows_impl.h"
#include "kernels/quantized_matmul_impl.h"
#include "kernels/vector_rows_impl.h"

namespace aios {
namespace {

template <typename Isa>
constexpr Kernels make_kernels() noexcept {
  using F32 = F32Products<Isa>;
  return {
      .matmul_f32_f32 = Matmul<Isa, F32, SameType<float>>::run,
      .matmul_f32_bf16 = Matmul<Isa, F32, Widened<Isa, Bf16Source<Isa>>>::run,
      .matmul_f32_f16 = Matmul<Isa, F32, Widened<Isa, F16Source<Isa>>>::run,
      .matmul_bf16_bf16 = nullptr,
      .f32_to_bf16 = nullptr,
      .bf16_row_group = 1,
      .quantized_layout = {},
      .quantize_rows = quantize_rows<Isa>,
      .quantized_matmul = QuantizedMatmul<Isa, QuantizedLayout{}>::run,
      .tile_size = {},
      .int8_tile_size = QuantizedMatmul<Isa, QuantizedLayout{}>::int8_tile_size(),
      .attention = Attention<Isa>::run,
      .scan_logits = scan_logits<Isa>,
      .rms_norm = rms_norm<Isa>,
      .layer_norm = layer_norm<Isa>,
      .rotate = rotate<Isa>,
      .silu = Elementwise<Isa>::silu,
      .gelu = Elementwise<Isa>::gelu,
      .gelu_tanh = Elementwise<Isa>::gelu_tanh,
      .relu = Elementwise<Isa>::relu,
      .tanh = Elementwise<Isa>::tanh,
      .add = Elementwise<Isa>::add,
      .multiply = Elementwise<Isa>::multiply,
      .scale = Elementwise<Isa>::scale,
      .scale_add = Elementwise<Isa>::scale_add,
      .dot = Elementwise<Isa>::dot,
      .f32_to_f32 = widen<Isa, F32Source<Isa>>,
      .bf16_to_f32 = widen<Isa, Bf16Source<Isa>>,
      .f16_to_f32 = widen<Isa, F16Source<Isa>>,
      .dot_rows_f32 = dot_rows<Isa, F32Source<Isa>>,
      .dot_rows_bf16 = dot_rows<Isa, Bf16Source<Isa>>,
      .dot_rows_f16 = dot_rows<Isa, F16Source<Isa>>,
      .dot_rows_u8 = dot_rows_u8,
      .dot_listed_rows_u8 = dot_listed_rows_u8,
      .dot_byte_matrix = dot_byte_matrix,
      .scale_products = scale_products,
      .sum_codes = sum_codes,
      .select_scores = select_scores,
  };
}

}  // namespace
}  // namespace aios
