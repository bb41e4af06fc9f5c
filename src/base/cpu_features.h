/// Instruction sets of this processor, and the one that kernels use.
#pragma once

#include <string_view>

namespace aios {

/// Kernel variants, weakest first. `kAvxVnni`: AVX2 + dot products of bytes, which a processor with
/// AVX-512 need not have; `kAvx512Vnni`: F, BW, VL, DQ, VNNI; `kAvx512Bf16`: those + BF16;
/// `kAmxBf16`: those + AMX's tiles of bf16; `kNeonDot`: NEON + dot products of bytes (Armv8.2's
/// FEAT_DotProd).
enum class Isa { kScalar, kAvx2, kAvxVnni, kAvx512Vnni, kAvx512Bf16, kAmxBf16, kNeon, kNeonDot };

[[nodiscard]] std::string_view isa_name(Isa isa) noexcept;

/// The best variant this processor and operating system can run. Where the processor has AMX, asks
/// Linux to let this process use its tiles.
[[nodiscard]] Isa detect_isa() noexcept;

/// Whether this processor can run a variant: `detect_isa()`, or a weaker one of its kind that it
/// has.
[[nodiscard]] bool can_run(Isa isa) noexcept;

/// `detect_isa()`, unless the environment variable AIOS_FORCE_ISA names another.
/// @throws DeviceError if that name is unknown or cannot run here, with the names that can
[[nodiscard]] Isa choose_isa();

/// Physical cores that this process may keep busy: by its affinity and its container's CPU quota.
[[nodiscard]] int num_physical_cores() noexcept;

/// Cores that Linux's cgroup file `cpu.max` grants, rounded up: "150000 100000" is 2; 0: no limit.
[[nodiscard]] int cores_of_cpu_quota(std::string_view cpu_max) noexcept;

}  // namespace aios
