/// For tests: the given random numbers of golden cases.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "diffusion/reveal_rule.h"

namespace aios::test {

/// splitmix64 of (step, position, token), as tools/make_goldens.py describes. Numbers that order
/// positions are taken from 1: the references reveal the largest first, `RandomRule` the smallest.
class GoldenUniforms final : public UniformSource {
 public:
  GoldenUniforms(uint64_t seed, int32_t length, int32_t vocab_size)
      : seed_(seed),
        length_(static_cast<uint64_t>(length)),
        vocab_size_(static_cast<uint64_t>(vocab_size)) {}

  [[nodiscard]] double uniform(int32_t /*canvas*/, int32_t step, int32_t position,
                               int32_t token) const noexcept override {
    const uint64_t cell = static_cast<uint64_t>(step) * length_ + static_cast<uint64_t>(position);
    if (token == kOrderNoise) return 1 - splitmix64((uint64_t{1} << 40U) + cell);
    return splitmix64(cell * vocab_size_ + static_cast<uint64_t>(token));
  }

 private:
  [[nodiscard]] double splitmix64(uint64_t index) const noexcept {
    uint64_t z = seed_ + (index + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    return static_cast<double>(z >> 11U) * 0x1p-53;
  }

  uint64_t seed_;
  uint64_t length_;
  uint64_t vocab_size_;
};

}  // namespace aios::test
