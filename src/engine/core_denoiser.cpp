#include "engine/core_denoiser.h"

#include <algorithm>
#include <vector>

#include "aios/error.h"

namespace aios {

void CoreDenoiser::denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
                           HeadResult& result) {
  std::vector<SequenceInput> sequences;
  std::vector<int32_t> rows;
  const int32_t shift = core_.spec().logit_shift ? 1 : 0;
  int32_t start = 0;
  for (const DenoiseInput& input : inputs) {
    sequences.push_back({input.window, nullptr});
    for (const int32_t position : input.positions) {
      rows.push_back(start + std::max(position - shift, 0));
    }
    start += static_cast<int32_t>(input.window.size());
  }
  HeadRequest shifted = request;
  shifted.rows = rows;
  core_.score(sequences, attention_, shifted, result);
}

AttentionKind denoising_attention(const ModelSpec& spec) {
  for (const AttentionKind kind : spec.attention_kinds) {
    if (kind != AttentionKind::kCausal) return kind;
  }
  throw InferenceError("a " + spec.family +
                       " model sees only what is to the left: it cannot diffuse");
}

}  // namespace aios
