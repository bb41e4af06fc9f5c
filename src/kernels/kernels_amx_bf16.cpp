#include "kernels/isa_avx512.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/matmul_amx_impl.h"
#include "kernels/quantized_amx_impl.h"
#include "kernels/vector_rows_amx_impl.h"

namespace aios {
namespace {

constexpr int64_t kRowGroup = 16;

/// Pairs go sixteen words apart.
void f32_to_bf16(const float* x, uint16_t* out, int64_t size) noexcept {
  constexpr int64_t kPairs = 16;
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i places = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(kRowGroup));
  for (int64_t i = 0; i < size; i += 2 * kPairs) {
    const int64_t count = size - i < 2 * kPairs ? size - i : 2 * kPairs;
    const int64_t low = count < kPairs ? count : kPairs;
    const auto pairs = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(
        Avx512::load_part(x + i + low, count - low), load_up_to<Avx512>(x + i, low)));
    const auto mask = static_cast<__mmask16>((1U << static_cast<uint32_t>((count + 1) / 2)) - 1U);
    _mm512_mask_i32scatter_epi32(out + i * kRowGroup, mask, places, pairs, sizeof(uint32_t));
  }
}

constexpr Kernels make_amx_kernels() noexcept {
  Kernels kernels = make_kernels<Avx512>();
  kernels.matmul_bf16_bf16 = AmxMatmul::run;
  kernels.f32_to_bf16 = f32_to_bf16;
  kernels.bf16_row_group = kRowGroup;
  kernels.quantized_layout = AmxQuantizedMatmul::kLayout;
  kernels.quantized_matmul = AmxQuantizedMatmul::run;
  kernels.dot_byte_matrix = AmxByteMatrix::run;
  return kernels;
}

}  // namespace

constinit const Kernels kAmxBf16Kernels = make_amx_kernels();

}  // namespace aios
