/// What this processor can do at most: the yardstick of the kernels' speed.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace aios::bench {

/// Runs a fixed amount of work on the calling thread; returns the operations done.
using Probe = double (*)();

/// A stream of independent instructions that keeps their execution unit busy. Both run for some
/// tenths of a millisecond.
struct ComputeProbe {
  std::string name;
  Probe run;
  /// Counts cycles: a chain of additions, each one cycle after the other, with some of the stream's
  /// instructions beside it, because wide vectors lower the clock.
  Probe count_cycles;
  double operations_per_cycle;  // what this processor's design allows, by its CPUID
};

/// f32 fused multiply-adds of the widest vectors. None where the design is not known.
[[nodiscard]] std::optional<ComputeProbe> f32_probe();
/// The tiles of AMX or vdpbf16ps of 512 bits, whichever the kernels use.
[[nodiscard]] std::optional<ComputeProbe> bf16_probe();

/// Products of bytes by the widest vectors: vpdpbusd, or vpmaddubsw and vpmaddwd where AVX2 is all.
/// None where the design is not known.
[[nodiscard]] std::optional<ComputeProbe> int8_probe();
/// The tiles of AMX on bytes. None where the processor lacks them.
[[nodiscard]] std::optional<ComputeProbe> int8_tiles_probe();

/// Ways to read memory: each is the fastest somewhere, and a weak reader flatters.
struct Reader {
  std::string name;
  /// Brings [begin, end) to the processor once; returns a value that depends on it.
  double (*run)(const std::vector<double>& memory, std::size_t begin, std::size_t end);
};
[[nodiscard]] std::vector<Reader> readers();

}  // namespace aios::bench
