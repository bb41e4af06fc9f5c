/// What the tests of kernels share. They run every variant that this processor can run, whatever
/// AIOS_FORCE_ISA says; the other rooms' tests run once under each value of it.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/kernels.h"

namespace aios::kernel_test {

#if defined(__x86_64__)
/// Of kAvxVnni, with the instruction as AVX-512 VNNI encodes it.
extern const Kernels kAvxVnniTwin;
#endif

/// kernels_for, or a twin that this processor can run.
inline const Kernels& kernels_of(Isa isa) noexcept {
#if defined(__x86_64__)
  if (isa == Isa::kAvxVnni && !can_run(isa)) return kAvxVnniTwin;
#endif
  return kernels_for(isa);
}

/// Variants that this processor can run, or twins of them.
inline std::vector<Isa> runnable_isas() {
  const auto has_twin = [](Isa isa) { return isa == Isa::kAvxVnni && can_run(Isa::kAvx512Vnni); };
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni, Isa::kAvx512Bf16,
                        Isa::kAmxBf16, Isa::kNeon, Isa::kNeonDot}) {
    if (can_run(isa) || has_twin(isa)) isas.push_back(isa);
  }
  return isas;
}

inline std::vector<float> random_floats(int64_t size, float deviation = 1.0F, uint32_t seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> distribution(0.0F, deviation);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = distribution(engine);
  return values;
}

inline bool same_bits(const float* a, const float* b, int64_t size) {
  return std::memcmp(a, b, static_cast<std::size_t>(size) * sizeof(float)) == 0;
}

/// A test that runs once per variant.
class ForEachIsa : public testing::TestWithParam<Isa> {
 protected:
  const Kernels& kernels_ = kernels_of(GetParam());
};

inline std::string isa_test_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

}  // namespace aios::kernel_test

/// Runs the tests of `suite`, a subclass of ForEachIsa, for all variants.
#define AIOS_INSTANTIATE_FOR_EACH_ISA(suite)                                                  \
  INSTANTIATE_TEST_SUITE_P(Isa, suite, testing::ValuesIn(aios::kernel_test::runnable_isas()), \
                           aios::kernel_test::isa_test_name)
