#include "base/random.h"

namespace aios {
namespace {

constexpr int kNumRounds = 10;
// Multipliers and Weyl constants of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011, table 2 and section 4.
constexpr uint64_t kMultiplier0 = 0xD2511F53;
constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;

uint32_t low_half(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t high_half(uint64_t value) { return static_cast<uint32_t>(value >> 32U); }

}  // namespace

PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) noexcept {
  for (int round = 0; round < kNumRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high_half(product1) ^ counter[1] ^ key[0], low_half(product1),
               high_half(product0) ^ counter[3] ^ key[1], low_half(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

double PhiloxUniformSource::uniform(int32_t canvas, int32_t step, int32_t position,
                                    int32_t token) const noexcept {
  const PhiloxCounter random =
      philox4x32({static_cast<uint32_t>(canvas), static_cast<uint32_t>(step),
                  static_cast<uint32_t>(position), static_cast<uint32_t>(token)},
                 {low_half(seed_), high_half(seed_)});
  const uint64_t bits = (uint64_t{random[1]} << 32U) | random[0];
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

}  // namespace aios
