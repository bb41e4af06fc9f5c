#include "kernels/kernels.h"

#include "kernels/kernel_test_support.h"

namespace aios {
namespace {

#if defined(__x86_64__)
constexpr Isa kCompiled[] = {Isa::kScalar,     Isa::kAvx2,       Isa::kAvxVnni,
                             Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAmxBf16};
#elif defined(__aarch64__)
constexpr Isa kCompiled[] = {Isa::kScalar, Isa::kNeon, Isa::kNeonDot};
#else
constexpr Isa kCompiled[] = {Isa::kScalar};
#endif

/// Also of variants that this processor cannot run, and of those that tests run as a twin.
TEST(KernelTables, AreThoseOfTheirVariants) {
  for (const Isa isa : kCompiled) {
    for (const Isa other : kCompiled) {
      EXPECT_EQ(kernels_for(isa).quantized_matmul == kernels_for(other).quantized_matmul,
                isa == other)
          << isa_name(isa) << ' ' << isa_name(other);
    }
  }
}

class KernelTable : public kernel_test::ForEachIsa {};

TEST_P(KernelTable, BelongsToItsVariantAlone) {
  for (const Isa other : kernel_test::runnable_isas()) {
    EXPECT_EQ(kernel_test::kernels_of(other).matmul_f32_f32 == kernels_.matmul_f32_f32,
              other == GetParam())
        << isa_name(other);
  }
}

TEST_P(KernelTable, Bf16ProductsComeWithTheirConversion) {
  EXPECT_EQ(kernels_.matmul_bf16_bf16 != nullptr, kernels_.f32_to_bf16 != nullptr);
  EXPECT_EQ(kernels_.matmul_bf16_bf16 != nullptr,
            GetParam() == Isa::kAvx512Bf16 || GetParam() == Isa::kAmxBf16);
}

AIOS_INSTANTIATE_FOR_EACH_ISA(KernelTable);

}  // namespace
}  // namespace aios
