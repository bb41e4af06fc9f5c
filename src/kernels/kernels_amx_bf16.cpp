#include "kernels/isa_avx512.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/matmul_amx_impl.h"
#include "kernels/quantized_amx_impl.h"
#include "kernels/vector_rows_amx_impl.h"

namespace aios {
namespace {

constexpr int64_t kRowGroup = 16;
constexpr int64_t kPairs = 16;  // of a row, in a vector

/// Up to sixteen pairs of each of `rows` rows: narrowed row by row, then turned. Turning rows
/// together writes whole lines; a row alone would write four bytes to each.
void narrow_tile(const float* x, int64_t x_stride, int64_t rows, uint16_t* out,
                 int64_t size) noexcept {
  alignas(64) float narrowed[kRowGroup * kPairs] = {};
  alignas(64) float turned[kPairs * kRowGroup];
  const int64_t low = size < kPairs ? size : kPairs;
  for (int64_t row = 0; row < rows; ++row) {
    const float* const values = x + row * x_stride;
    const __m512 second = load_up_to<Avx512>(values + low, size - low);
    const __m512 first = load_up_to<Avx512>(values, low);
    Avx512::store(narrowed + row * kPairs,
                  reinterpret_cast<__m512>(_mm512_cvtne2ps_pbh(second, first)));
  }
  const bool is_whole = rows == kRowGroup && size == 2 * kPairs;
  float* const pairs = is_whole ? reinterpret_cast<float*>(out) : turned;
  for (int64_t pair = 0; pair < kPairs; pair += 4) {
    transpose4<Avx512>(narrowed + pair, kPairs, pairs + pair * kRowGroup, kRowGroup);
  }
  if (is_whole) return;
  for (int64_t pair = 0; 2 * pair < size; ++pair) {
    store_up_to<Avx512>(reinterpret_cast<float*>(out) + pair * kRowGroup,
                        Avx512::load(turned + pair * kRowGroup), rows);
  }
}

void f32_to_bf16(const float* x, int64_t x_stride, int64_t rows, uint16_t* out,
                 int64_t size) noexcept {
  for (int64_t i = 0; i < size; i += 2 * kPairs) {
    narrow_tile(x + i, x_stride, rows, out + i * kRowGroup, at_most(2 * kPairs, size - i));
  }
}

constexpr Kernels make_amx_kernels() noexcept {
  Kernels kernels = make_kernels<Avx512>();
  kernels.matmul_bf16_bf16 = AmxMatmul::run;
  kernels.f32_to_bf16 = f32_to_bf16;
  kernels.bf16_row_group = kRowGroup;
  kernels.quantized_layout = AmxQuantizedMatmul::kLayout;
  kernels.quantized_matmul = AmxQuantizedMatmul::run;
  kernels.tile_size = kernels.int8_tile_size = {.rows = 512, .columns = 256};
  kernels.dot_byte_matrix = AmxByteMatrix::run;
  return kernels;
}

}  // namespace

constinit const Kernels kAmxBf16Kernels = make_amx_kernels();

}  // namespace aios
