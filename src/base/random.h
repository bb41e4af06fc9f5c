/// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
///
/// A value is a pure function of a key and a counter, so results do not depend on threads or order.
#pragma once

#include <array>
#include <cstdint>

namespace aios {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

/// Ten rounds; equals the published test vectors of Random123.
[[nodiscard]] PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) noexcept;

/// Uniform numbers in [0, 1) named by what they are for. Interface, so that tests can give their
/// own.
class UniformSource {
 public:
  virtual ~UniformSource() = default;
  /// The number for (canvas, step, position, token). Thread-safe.
  [[nodiscard]] virtual double uniform(int32_t canvas, int32_t step, int32_t position,
                                       int32_t token) const noexcept = 0;
};

/// Philox keyed by a seed: counter = (canvas, step, position, token). 53 random bits.
class PhiloxUniformSource final : public UniformSource {
 public:
  explicit PhiloxUniformSource(uint64_t seed) noexcept : seed_(seed) {}
  [[nodiscard]] double uniform(int32_t canvas, int32_t step, int32_t position,
                               int32_t token) const noexcept override;

 private:
  uint64_t seed_;
};

}  // namespace aios
