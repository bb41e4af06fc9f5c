#include "model/recorder.h"

#include <vector>

namespace aios {

void record(Recorder& recorder, std::string_view tensor_name, int64_t num_rows, const Buffer& input,
            Backend& backend) {
  std::vector<float> rows(static_cast<std::size_t>(num_rows * input.columns()));
  backend.read(input, 0, rows);
  recorder.record(tensor_name, rows, input.columns());
}

}  // namespace aios
