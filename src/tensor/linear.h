/// Weights as a backend holds them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace aios {

/// A tensor in a backend's own memory and layout. Opaque: only the backend that made it reads it.
/// Immutable, shared between layers and threads.
class DeviceTensor {
 public:
  virtual ~DeviceTensor() = default;
};
using DeviceTensorPtr = std::shared_ptr<const DeviceTensor>;

/// A low-rank addition to a linear map: y += lora_scale * lora_b (lora_a x).
struct LowRankAdapter {
  DeviceTensorPtr lora_a;  // [lora_rank, in_features]
  DeviceTensorPtr lora_b;  // [out_features, lora_rank]
  int64_t lora_rank = 0;
  float lora_scale = 1.0F;
};

/// y = W x + b, W row major [out_features, in_features] in any weight type. `bias` may be null.
struct Linear {
  DeviceTensorPtr weight;
  DeviceTensorPtr bias;
  int64_t in_features = 0;
  int64_t out_features = 0;
  std::vector<LowRankAdapter> adapters;

  explicit operator bool() const noexcept { return weight != nullptr; }
};

}  // namespace aios
