#include "kernels/kernels.h"

#include "kernels/kernel_tables.h"

namespace aios {

const Kernels& kernels_for(Isa isa) noexcept {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx2:
      return kAvx2Kernels;
    case Isa::kAvxVnni:
      return kAvxVnniKernels;
    case Isa::kAvx512Vnni:
      return kAvx512VnniKernels;
    case Isa::kAvx512Bf16:
      return kAvx512Bf16Kernels;
    case Isa::kAmxBf16:
      return kAmxBf16Kernels;
#elif defined(__aarch64__)
    case Isa::kNeon:
      return kNeonKernels;
    case Isa::kNeonDot:
      return kNeonDotKernels;
#endif
    default:
      return kScalarKernels;
  }
}

}  // namespace aios
