#include "peak_probes.h"

#include <cstdint>

#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace aios::bench {

namespace {

constexpr std::size_t kLine = 64 / sizeof(double);

double read_words(const std::vector<double>& memory, std::size_t begin, std::size_t end) {
  double sums[kLine] = {};  // independent: the loads limit, not the additions
  for (std::size_t i = begin; i + kLine <= end; i += kLine) {
    for (std::size_t j = 0; j < kLine; ++j) sums[j] += memory[i + j];
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

/// A word of each line, in kStreams places at once; with kAhead lines fetched ahead.
template <std::size_t kStreams, std::size_t kAhead>
double read_lines(const std::vector<double>& memory, std::size_t begin, std::size_t end) {
  const std::size_t share = (end - begin) / kStreams / kLine * kLine;
  double sums[kStreams] = {};
  for (std::size_t i = begin; i < begin + share; i += kLine) {
    for (std::size_t j = 0; j < kStreams; ++j) {
      const double* const word = memory.data() + i + j * share;
      if (kAhead > 0) __builtin_prefetch(word + kAhead * kLine);
      sums[j] += *word;
    }
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

std::vector<Reader> readers() {
  return {{"every word", read_words},
          {"every line", read_lines<1, 0>},
          {"lines of 4 streams", read_lines<4, 0>},
          {"lines fetched ahead", read_lines<1, 32>},
          {"lines of 4 streams fetched ahead", read_lines<4, 16>}};
}

#if defined(__x86_64__)

namespace {

constexpr int64_t kRounds = 200'000;
constexpr int kAccumulators = 12;  // more than latency times units of any known design

/// Twelve independent accumulators in registers; INSTRUCTION updates %0 from %1 and may use xmm15.
#define AIOS_PROBE_ROUNDS(vector, multiplier, instruction)                         \
  vector a0{}, a1{}, a2{}, a3{}, a4{}, a5{}, a6{}, a7{}, a8{}, a9{}, a10{}, a11{}; \
  for (int64_t round = 0; round < kRounds; ++round) {                              \
    asm volatile(instruction : "+v"(a0) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a1) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a2) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a3) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a4) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a5) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a6) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a7) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a8) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a9) : "v"(multiplier) : "xmm15");              \
    asm volatile(instruction : "+v"(a10) : "v"(multiplier) : "xmm15");             \
    asm volatile(instruction : "+v"(a11) : "v"(multiplier) : "xmm15");             \
  }

__attribute__((target("avx2,fma"))) double fma256() {
  const __m256 one = _mm256_set1_ps(1.0F);
  AIOS_PROBE_ROUNDS(__m256, one, "vfmadd231ps %1, %1, %0")
  return kRounds * kAccumulators * 8.0 * 2;
}

/// What AVX2 has for bytes: products of pairs saturate at 16 bits, which exact products must avoid
/// by further instructions.
__attribute__((target("avx2"))) double int8_pairs256() {
  const __m256i ones = _mm256_set1_epi16(1);
  AIOS_PROBE_ROUNDS(__m256i, ones,
                    "vpmaddubsw %1, %1, %%ymm15\n\tvpmaddwd %1, %%ymm15, %%ymm15\n\t"
                    "vpaddd %%ymm15, %0, %0")
  return kRounds * kAccumulators * 32.0 * 2;
}

/// AVX-VNNI's: the short encoding of AVX-512 VNNI's.
__attribute__((target("avx2,avxvnni"))) double int8_dot256() {
  const __m256i ones = _mm256_set1_epi8(1);
  AIOS_PROBE_ROUNDS(__m256i, ones, "%{vex%} vpdpbusd %1, %1, %0")
  return kRounds * kAccumulators * 32.0 * 2;
}

__attribute__((target("avx512f"))) double fma512() {
  const __m512 one = _mm512_set1_ps(1.0F);
  AIOS_PROBE_ROUNDS(__m512, one, "vfmadd231ps %1, %1, %0")
  return kRounds * kAccumulators * 16.0 * 2;
}

/// All tiles of sixteen rows of 64 bytes.
__attribute__((target("amx-tile"))) void load_tile_shapes() {
  struct {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } shapes;
  asm volatile("" ::"r"(&shapes) : "memory");  // GCC takes only its first word for read
  _tile_loadconfig(&shapes);
}

__attribute__((target("avx512f"))) double bf16_dot512() {
  const __m512i ones = _mm512_set1_epi16(0x3f80);
  AIOS_PROBE_ROUNDS(__m512, ones, "vdpbf16ps %1, %1, %0")
  return kRounds * kAccumulators * 32.0 * 2;
}

__attribute__((target("avx512f,avx512vnni"))) double int8_dot512() {
  const __m512i ones = _mm512_set1_epi8(1);
  AIOS_PROBE_ROUNDS(__m512i, ones, "vpdpbusd %1, %1, %0")
  return kRounds * kAccumulators * 64.0 * 2;
}

/// Four sums of tiles, each of sixteen cycles: 16 x 16 results of 64 products.
__attribute__((target("amx-tile,amx-int8"))) double int8_tiles() {
  constexpr int64_t kTileRounds = kRounds / 8;
  load_tile_shapes();
  for (int64_t round = 0; round < kTileRounds; ++round) {
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
  }
  _tile_release();
  return kTileRounds * 4 * 16.0 * 16 * 64 * 2;
}

/// Four sums of tiles, each of sixteen cycles: 16 x 16 results of 32 products.
__attribute__((target("amx-tile,amx-bf16"))) double bf16_tiles() {
  constexpr int64_t kTileRounds = kRounds / 8;
  load_tile_shapes();
  for (int64_t round = 0; round < kTileRounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return kTileRounds * 4 * 16.0 * 16 * 32 * 2;
}

/// Eight dependent additions with four of the instructions that the clock is wanted for. Register
/// operands: additions of constants are folded when registers are renamed (Golden Cove).
#define AIOS_PROBE_CYCLES(vector, multiplier, instruction)         \
  vector a0{}, a1{}, a2{}, a3{};                                   \
  uint64_t sum = 1;                                                \
  const uint64_t addend = 3;                                       \
  for (int64_t round = 0; round < kRounds; ++round) {              \
    asm volatile(                                                  \
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t" \
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0"     \
        : "+r"(sum)                                                \
        : "r"(addend));                                            \
    asm volatile(instruction : "+v"(a0) : "v"(multiplier));        \
    asm volatile(instruction : "+v"(a1) : "v"(multiplier));        \
    asm volatile(instruction : "+v"(a2) : "v"(multiplier));        \
    asm volatile(instruction : "+v"(a3) : "v"(multiplier));        \
  }

__attribute__((target("avx2,fma"))) double cycles256() {
  const __m256 one = _mm256_set1_ps(1.0F);
  AIOS_PROBE_CYCLES(__m256, one, "vfmadd231ps %1, %1, %0")
  return kRounds * 8.0;
}

__attribute__((target("avx512f"))) double cycles512() {
  const __m512 one = _mm512_set1_ps(1.0F);
  AIOS_PROBE_CYCLES(__m512, one, "vfmadd231ps %1, %1, %0")
  return kRounds * 8.0;
}

__attribute__((target("amx-tile,amx-bf16"))) double cycles_of_tiles() {
  uint64_t sum = 1;
  const uint64_t addend = 3;
  load_tile_shapes();
  for (int64_t round = 0; round < kRounds; ++round) {
    asm volatile(
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t"
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t"
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t"
        "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0"
        : "+r"(sum)
        : "r"(addend));
    if (round % 2 == 0) _tile_dpbf16ps(0, 4, 6);
    if (round % 2 == 1) _tile_dpbf16ps(1, 4, 7);
  }
  _tile_release();
  return kRounds * 16.0;
}

enum class Design {
  kUnknown,
  kIntelServer,  // two 512-bit fma units; vdpbf16ps every second cycle
  kIntelClient,  // one 512-bit fma unit
  kZen4,         // 512-bit operations in two halves; Zen 3 has none
  kZen5,
};

Design processor_design() {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  __get_cpuid(0, &eax, &ebx, &ecx, &edx);
  const bool is_intel = ebx == signature_INTEL_ebx;
  const bool is_amd = ebx == signature_AMD_ebx;
  __get_cpuid(1, &eax, &ebx, &ecx, &edx);
  const uint32_t family = ((eax >> 8U) & 0xfU) + ((eax >> 20U) & 0xffU);
  const uint32_t model = ((eax >> 4U) & 0xfU) | ((eax >> 12U) & 0xf0U);
  __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
  const bool has_amx = (edx & (1U << 24U)) != 0;
  if (is_amd && family == 0x19) return Design::kZen4;
  if (is_amd && family >= 0x1a) return Design::kZen5;
  // Virtual machines hide the model, but only servers have AMX. 0x55: Skylake and Cascade Lake;
  // 0x6a, 0x6c: Ice Lake.
  if (is_intel) {
    const bool is_server = has_amx || model == 0x55 || model == 0x6a || model == 0x6c;
    return is_server ? Design::kIntelServer : Design::kIntelClient;
  }
  return Design::kUnknown;
}

}  // namespace

std::optional<ComputeProbe> f32_probe() {
  const Design design = processor_design();
  if (design == Design::kUnknown) return std::nullopt;
  if (choose_isa() < Isa::kAvx512Vnni)
    return ComputeProbe{"f32 fma, 256 bits", fma256, cycles256, 32};
  const bool is_full = design == Design::kIntelServer || design == Design::kZen5;
  return ComputeProbe{"f32 fma, 512 bits", fma512, cycles512, is_full ? 64.0 : 32.0};
}

std::optional<ComputeProbe> bf16_probe() {
  const Design design = processor_design();
  const Isa isa = choose_isa();
  if (design == Design::kUnknown) return std::nullopt;
  if (isa == Isa::kAmxBf16)
    return ComputeProbe{"bf16 tdpbf16ps, tiles", bf16_tiles, cycles_of_tiles, 1024};
  if (isa != Isa::kAvx512Bf16) return std::nullopt;
  const double per_cycle = design == Design::kZen5 ? 128 : design == Design::kZen4 ? 64 : 32;
  return ComputeProbe{"bf16 vdpbf16ps, 512 bits", bf16_dot512, cycles512, per_cycle};
}

std::optional<ComputeProbe> int8_probe() {
  const Design design = processor_design();
  const Isa isa = choose_isa();
  if (design == Design::kUnknown || isa == Isa::kScalar) return std::nullopt;
  if (isa == Isa::kAvx2) {
    return ComputeProbe{"int8 vpmaddubsw, vpmaddwd, 256 bits", int8_pairs256, cycles256, 64};
  }
  if (isa == Isa::kAvxVnni) {
    return ComputeProbe{"int8 vpdpbusd, 256 bits", int8_dot256, cycles256, 128};
  }
  const bool is_full = design == Design::kIntelServer || design == Design::kZen5;
  return ComputeProbe{"int8 vpdpbusd, 512 bits", int8_dot512, cycles512, is_full ? 256.0 : 128.0};
}

std::optional<ComputeProbe> int8_tiles_probe() {
  if (choose_isa() != Isa::kAmxBf16) return std::nullopt;
  return ComputeProbe{"int8 tdpbsud, tiles", int8_tiles, cycles_of_tiles, 2048};
}

#else

std::optional<ComputeProbe> f32_probe() { return std::nullopt; }
std::optional<ComputeProbe> bf16_probe() { return std::nullopt; }
std::optional<ComputeProbe> int8_probe() { return std::nullopt; }
std::optional<ComputeProbe> int8_tiles_probe() { return std::nullopt; }

#endif

}  // namespace aios::bench
