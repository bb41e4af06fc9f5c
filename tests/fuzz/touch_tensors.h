/// Does with a file of weights what an engine does, and reads every byte it is given.
#pragma once

#include "aios/error.h"
#include "storage/weight_loader.h"

namespace aios {

/// @return the sum of all bytes, so that no read is optimised away
inline unsigned touch_tensors(const WeightLoader& loader) {
  unsigned sum = 0;
  for (const TensorInfo& info : loader.tensors()) {
    try {
      const TensorView view = loader.tensor(info.name);
      for (std::size_t i = 0; i < view.num_bytes; ++i) sum += static_cast<unsigned>(view.data[i]);
    } catch (const FormatError&) {  // this tensor is bad; the next may be sound
    }
  }
  loader.verify();
  return sum;
}

}  // namespace aios
