/// Cosines and sines of the rotary embedding, kept from layer to layer.
#pragma once

#include <span>
#include <vector>

#include "backend/backend.h"

namespace aios {

/// Angles are products of floats, as the reference implementations (Hugging Face) form them.
class RotaryTable {
 public:
  /// Recomputes unless frequencies, scale and positions are those of the last call.
  void update(const Rotary& rotary, std::span<const int32_t> positions);

  [[nodiscard]] int64_t half() const noexcept {
    return static_cast<int64_t>(rotary_.inverse_frequencies.size());
  }
  [[nodiscard]] const float* cosines(int64_t row) const noexcept {
    return cosines_.data() + row * half();
  }
  [[nodiscard]] const float* sines(int64_t row) const noexcept {
    return sines_.data() + row * half();
  }

 private:
  Rotary rotary_;
  std::vector<int32_t> positions_;
  std::vector<float> cosines_;  // [positions, half]
  std::vector<float> sines_;
};

}  // namespace aios
