#include "base/cpu_features.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "aios/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__linux__) && defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace aios {
namespace {

constexpr std::pair<Isa, std::string_view> kIsaNames[] = {{Isa::kScalar, "scalar"},
                                                          {Isa::kAvx2, "avx2"},
                                                          {Isa::kAvxVnni, "avx_vnni"},
                                                          {Isa::kAvx512Vnni, "avx512_vnni"},
                                                          {Isa::kAvx512Bf16, "avx512_bf16"},
                                                          {Isa::kAmxBf16, "amx_bf16"},
                                                          {Isa::kNeon, "neon"},
                                                          {Isa::kNeonDot, "neon_dot"}};

#if defined(__x86_64__)

struct CpuidRegisters {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zero where the processor has no such leaf.
CpuidRegisters cpuid(uint32_t leaf, uint32_t subleaf) noexcept {
  CpuidRegisters registers;
  __get_cpuid_count(leaf, subleaf, &registers.eax, &registers.ebx, &registers.ecx, &registers.edx);
  return registers;
}

/// XCR0: which register files the operating system saves. Needs OSXSAVE.
uint64_t saved_register_files() noexcept {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32U) | low;
}

constexpr bool has_bits(uint64_t value, uint64_t bits) noexcept { return (value & bits) == bits; }

/// Dot products of bytes without AVX-512; needs AVX2. Bit: Intel SDM volume 2A, CPUID.
bool has_avx_vnni() noexcept {
  constexpr uint32_t kAvxVnni = 1U << 4U;
  return has_bits(cpuid(7, 1).eax, kAvxVnni);
}

/// Linux refuses where a thread's signal stack is too small for tiles (arch/x86/xstate.rst).
bool may_use_tiles() noexcept {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // its bit in XCR0
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#else

bool has_avx_vnni() noexcept { return false; }

#endif

#if defined(__linux__)

/// Distinct cores among the processors of this thread's affinity; 0 if it cannot be asked.
int num_allowed_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0;
  std::set<std::string> cores;  // named by their hardware threads, e.g. "0,4"
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream siblings("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                           "/topology/thread_siblings_list");
    std::string core;
    if (!std::getline(siblings, core)) core = std::to_string(cpu);
    cores.insert(core);
  }
  return static_cast<int>(cores.size());
}

#endif

constexpr bool is_of_arm(Isa isa) noexcept { return isa >= Isa::kNeon; }

}  // namespace

std::string_view isa_name(Isa isa) noexcept {
  for (const auto& [candidate, name] : kIsaNames) {
    if (candidate == isa) return name;
  }
  return "unknown";
}

// Bits: Intel SDM volume 2A, CPUID; XCR0: volume 1, section 13.3.
Isa detect_isa() noexcept {
#if defined(__aarch64__)
#if defined(__linux__)
  constexpr uint64_t kArmv82Dot = HWCAP_ATOMICS | HWCAP_ASIMDRDM | HWCAP_ASIMDDP;
  if ((getauxval(AT_HWCAP) & kArmv82Dot) == kArmv82Dot) return Isa::kNeonDot;
#endif
  return Isa::kNeon;
#elif defined(__x86_64__)
  constexpr uint32_t kFma = 1U << 12U, kOsxsave = 1U << 27U, kAvx = 1U << 28U, kF16c = 1U << 29U;
  constexpr uint32_t kAvx2 = 1U << 5U;
  constexpr uint32_t kAvx512F = 1U << 16U, kAvx512Dq = 1U << 17U;
  constexpr uint32_t kAvx512Bw = 1U << 30U, kAvx512Vl = 1U << 31U;
  constexpr uint32_t kAvx512Vnni = 1U << 11U;
  constexpr uint32_t kAvx512Bf16 = 1U << 5U;
  constexpr uint32_t kAmxBf16 = 1U << 22U, kAmxTile = 1U << 24U, kAmxInt8 = 1U << 25U;
  constexpr uint64_t kXmmYmm = 0x06, kXmmYmmZmm = 0xe6, kTiles = 0x60000;

  const CpuidRegisters basic = cpuid(1, 0);
  const CpuidRegisters extended = cpuid(7, 0);
  if (!has_bits(basic.ecx, kFma | kOsxsave | kAvx | kF16c)) return Isa::kScalar;
  const uint64_t saved = saved_register_files();
  if (!has_bits(saved, kXmmYmm) || !has_bits(extended.ebx, kAvx2)) return Isa::kScalar;
  if (!has_bits(saved, kXmmYmmZmm) ||
      !has_bits(extended.ebx, kAvx512F | kAvx512Dq | kAvx512Bw | kAvx512Vl) ||
      !has_bits(extended.ecx, kAvx512Vnni)) {
    return has_avx_vnni() ? Isa::kAvxVnni : Isa::kAvx2;
  }
  if (!has_bits(cpuid(7, 1).eax, kAvx512Bf16)) return Isa::kAvx512Vnni;
  const bool has_amx =
      has_bits(extended.edx, kAmxBf16 | kAmxTile | kAmxInt8) && has_bits(saved, kTiles);
  return has_amx && may_use_tiles() ? Isa::kAmxBf16 : Isa::kAvx512Bf16;
#else
  return Isa::kScalar;
#endif
}

bool can_run(Isa isa) noexcept {
  const Isa detected = detect_isa();
  if (isa == Isa::kAvxVnni && !has_avx_vnni()) return false;
  return isa == Isa::kScalar || (isa <= detected && is_of_arm(isa) == is_of_arm(detected));
}

Isa choose_isa() {
  const char* const forced = std::getenv("AIOS_FORCE_ISA");
  if (forced == nullptr) return detect_isa();
  std::string runnable;
  for (const auto& [isa, name] : kIsaNames) {
    if (!can_run(isa)) continue;
    if (name == forced) return isa;
    runnable += (runnable.empty() ? "" : ", ") + std::string(name);
  }
  throw DeviceError("AIOS_FORCE_ISA is '" + std::string(forced) +
                    "', which cannot run here: use one of " + runnable + ", or unset it");
}

int cores_of_cpu_quota(std::string_view cpu_max) noexcept {
  int64_t quota = 0;
  int64_t period = 0;
  const char* const end = cpu_max.data() + cpu_max.size();
  const auto [next, error] = std::from_chars(cpu_max.data(), end, quota);
  if (error != std::errc() || next == end) return 0;  // "max": no quota
  if (std::from_chars(next + 1, end, period).ec != std::errc() || period <= 0) return 0;
  return static_cast<int>(std::clamp<int64_t>((quota - 1) / period + 1, 1, INT32_MAX));
}

int num_physical_cores() noexcept {
  int num_cores = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  try {
    if (const int allowed = num_allowed_cores(); allowed > 0) num_cores = allowed;
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string cpu_max;
    std::getline(file, cpu_max);
    if (const int quota = cores_of_cpu_quota(cpu_max); quota > 0) {
      num_cores = std::min(num_cores, quota);
    }
  } catch (...) {  // no memory: the portable answer stands
  }
#endif
  return std::max(num_cores, 1);
}

}  // namespace aios
