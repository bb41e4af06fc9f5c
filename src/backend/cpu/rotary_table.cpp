#include "backend/cpu/rotary_table.h"

#include <algorithm>
#include <cmath>

namespace aios {

void RotaryTable::update(const Rotary& rotary, std::span<const int32_t> positions) {
  if (rotary.inverse_frequencies == rotary_.inverse_frequencies && rotary.scale == rotary_.scale &&
      std::ranges::equal(positions, positions_)) {
    return;
  }
  rotary_ = rotary;
  positions_.assign(positions.begin(), positions.end());
  cosines_.clear();
  sines_.clear();
  for (const int32_t position : positions) {
    for (const float frequency : rotary.inverse_frequencies) {
      const float angle = static_cast<float>(position) * frequency;
      cosines_.push_back(std::cos(angle) * rotary.scale);
      sines_.push_back(std::sin(angle) * rotary.scale);
    }
  }
}

}  // namespace aios
