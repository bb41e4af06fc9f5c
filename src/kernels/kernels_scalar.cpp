/// The reference kernels: the definition of every operation, and what runs where no variant fits.
#include "kernels/elementwise.h"
#include "kernels/kernel_tables.h"

namespace aios {

constinit const Kernels kScalarKernels = {
    .matmul_f32_f32 = matmul_f32_f32_reference,
    .matmul_f32_bf16 = matmul_f32_bf16_reference,
    .matmul_f32_f16 = matmul_f32_f16_reference,
    .matmul_bf16_bf16 = nullptr,
    .f32_to_bf16 = nullptr,
    .bf16_row_group = 1,
    .quantized_layout = {},
    .quantize_rows = quantize_rows_reference,
    .quantized_matmul = quantized_matmul_reference,
    .tile_size = {},
    .int8_tile_size = {},
    .attention = attention_reference,
    .scan_logits = scan_logits_reference,
    .rms_norm = rms_norm_reference,
    .layer_norm = layer_norm_reference,
    .rotate = rotate_reference,
    .silu = silu_reference,
    .gelu = gelu_reference,
    .gelu_tanh = gelu_tanh_reference,
    .relu = relu_reference,
    .tanh = tanh_reference,
    .add = add_reference,
    .multiply = multiply_reference,
    .scale = scale_reference,
    .scale_add = scale_add_reference,
    .dot = dot_reference,
    .f32_to_f32 = f32_to_f32_reference,
    .bf16_to_f32 = bf16_to_f32_reference,
    .f16_to_f32 = f16_to_f32_reference,
    .dot_rows_f32 = dot_rows_f32_reference,
    .dot_rows_bf16 = dot_rows_bf16_reference,
    .dot_rows_f16 = dot_rows_f16_reference,
    .dot_rows_u8 = dot_rows_u8_reference,
    .dot_listed_rows_u8 = dot_listed_rows_u8_reference,
    .dot_byte_matrix = dot_byte_matrix_reference,
    .scale_products = scale_products_reference,
    .sum_codes = sum_codes_reference,
    .select_scores = select_scores_reference,
};

}  // namespace aios
