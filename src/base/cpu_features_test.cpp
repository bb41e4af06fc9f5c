#include "base/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "aios/error.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace aios {
namespace {

/// Sets AIOS_FORCE_ISA for a scope and puts the old value back.
class ForcedIsa {
 public:
  explicit ForcedIsa(const char* name) {
    if (const char* old = std::getenv("AIOS_FORCE_ISA")) old_ = old;
    ::setenv("AIOS_FORCE_ISA", name, 1);
  }
  ~ForcedIsa() {
    if (old_) {
      ::setenv("AIOS_FORCE_ISA", old_->c_str(), 1);
    } else {
      ::unsetenv("AIOS_FORCE_ISA");
    }
  }
  ForcedIsa(const ForcedIsa&) = delete;
  ForcedIsa& operator=(const ForcedIsa&) = delete;

 private:
  std::optional<std::string> old_;
};

#if defined(__x86_64__) && defined(__linux__)
// The kernel's list knows what the operating system saves, by its own reading of CPUID and XCR0.
TEST(CpuFeatures, AgreesWithTheKernelsList) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; flags.empty() && std::getline(cpuinfo, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) flags.insert(word);
  }
  ASSERT_FALSE(flags.empty());
  const auto has = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (!flags.contains(name)) return false;
    }
    return true;
  };
  Isa expected = Isa::kScalar;
  if (has({"avx2", "fma", "f16c"})) {
    expected = has({"avx_vnni"}) ? Isa::kAvxVnni : Isa::kAvx2;
    EXPECT_EQ(can_run(Isa::kAvxVnni), has({"avx_vnni"}));
    if (has({"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni"})) {
      expected = has({"avx512_bf16"}) ? Isa::kAvx512Bf16 : Isa::kAvx512Vnni;
      constexpr long kRequestTiles[] = {0x1023, 18};  // a container may refuse what the list has
      if (has({"avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"}) &&
          syscall(SYS_arch_prctl, kRequestTiles[0], kRequestTiles[1]) == 0) {
        expected = Isa::kAmxBf16;
      }
    }
  }
  EXPECT_EQ(isa_name(detect_isa()), isa_name(expected));
}
#endif

#if defined(__aarch64__)
TEST(CpuFeatures, NeonIsPartOfAarch64) {
  const ForcedIsa forced("neon");
  EXPECT_EQ(choose_isa(), Isa::kNeon);
}

/// The processor's own register, which Linux and QEMU let programs read (Arm ARM,
/// ID_AA64ISAR0_EL1).
TEST(CpuFeatures, DotProductsAreFoundWhereTheProcessorHasThem) {
  uint64_t features = 0;
  asm("mrs %0, ID_AA64ISAR0_EL1" : "=r"(features));
  const bool has_dot = ((features >> 44U) & 0xfU) != 0;
  EXPECT_EQ(isa_name(detect_isa()), isa_name(has_dot ? Isa::kNeonDot : Isa::kNeon));
}
#endif

TEST(CpuFeatures, ScalarCanAlwaysBeForced) {
  const ForcedIsa forced("scalar");
  EXPECT_EQ(choose_isa(), Isa::kScalar);
}

TEST(CpuFeatures, TheDetectedIsaCanBeForced) {
  const ForcedIsa forced(std::string(isa_name(detect_isa())).c_str());
  EXPECT_EQ(choose_isa(), detect_isa());
}

void expect_refused(const char* name) {
  const ForcedIsa forced(name);
  try {
    static_cast<void>(choose_isa());
    ADD_FAILURE() << name << " was accepted";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(std::string("'") + name + "'"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("scalar"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr(isa_name(detect_isa())));
  }
}

TEST(CpuFeatures, RefusesUnknownIsa) {
  expect_refused("sse9");
  expect_refused("");
}

TEST(CpuFeatures, RefusesIsaOfAnotherProcessor) {
  expect_refused(can_run(Isa::kNeon) ? "avx2" : "neon");
}

TEST(CpuFeatures, CoresAreAtMostHardwareThreads) {
  EXPECT_GE(num_physical_cores(), 1);
  EXPECT_LE(num_physical_cores(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(CpuFeatures, ReadsTheQuotaOfAContainer) {
  EXPECT_EQ(cores_of_cpu_quota("200000 100000"), 2);
  EXPECT_EQ(cores_of_cpu_quota("150000 100000"), 2);
  EXPECT_EQ(cores_of_cpu_quota("20000 100000"), 1);
  EXPECT_EQ(cores_of_cpu_quota("max 100000"), 0);
  EXPECT_EQ(cores_of_cpu_quota("100000"), 0);
  EXPECT_EQ(cores_of_cpu_quota("100000 0"), 0);
  EXPECT_EQ(cores_of_cpu_quota(""), 0);
}

}  // namespace
}  // namespace aios
