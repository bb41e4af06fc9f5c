/// Sees the input of every linear map of a forward pass: for calibration, probing and training.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "backend/backend.h"

namespace aios {

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// @param tensor_name of the weight in the checkpoint, e.g. `model.layers.0.mlp.up_proj.weight`
  /// @param input f32 [rows, columns], valid during the call only
  virtual void record(std::string_view tensor_name, std::span<const float> input,
                      int64_t columns) = 0;
};

/// Reads the first `num_rows` rows of `input` and records them.
void record(Recorder& recorder, std::string_view tensor_name, int64_t num_rows, const Buffer& input,
            Backend& backend);

}  // namespace aios
