#include "kernels/isa_avx512.h"
#include "kernels/kernel_table_impl.h"
#include "kernels/quantize_block_avx512.h"
#include "kernels/quantized_avx512.h"

namespace aios {
namespace {

/// Pairs of bf16 products added to f32 sums.
struct Bf16Products {
  using Element = uint16_t;
  using Word = uint32_t;
  using Operand = __m512bh;
  static Operand load(const float* words) noexcept {
    return reinterpret_cast<Operand>(_mm512_loadu_ps(words));
  }
  static Operand broadcast(const uint32_t* word) noexcept {
    return reinterpret_cast<Operand>(_mm512_set1_epi32(static_cast<int>(*word)));
  }
  static __m512 multiply_add(Operand a, Operand b, __m512 sum) noexcept {
    return _mm512_dpbf16_ps(sum, a, b);
  }
};

/// A group is one row.
void f32_to_bf16(const float* x, int64_t /*x_stride*/, int64_t /*rows*/, uint16_t* out,
                 int64_t size) noexcept {
  for (int64_t i = 0; i < size; i += Avx512::kLanes) {
    const int64_t count = size - i < Avx512::kLanes ? size - i : Avx512::kLanes;
    const auto narrow =
        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(load_up_to<Avx512>(x + i, count)));
    const auto even_count = static_cast<uint32_t>(count + count % 2);
    _mm256_mask_storeu_epi16(out + i, static_cast<__mmask16>((1U << even_count) - 1U), narrow);
  }
}

constexpr Kernels make_bf16_kernels() noexcept {
  Kernels kernels = make_kernels<Avx512>();
  kernels.matmul_bf16_bf16 = Matmul<Avx512, Bf16Products, SameType<uint16_t>>::run;
  kernels.f32_to_bf16 = f32_to_bf16;
  return kernels;
}

}  // namespace

constinit const Kernels kAvx512Bf16Kernels = make_bf16_kernels();

}  // namespace aios
