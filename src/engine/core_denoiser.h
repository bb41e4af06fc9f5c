/// A network as the denoising loop sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "diffusion/denoiser.h"
#include "model/inference_core.h"

namespace aios {

/// All windows go through the network in one packed pass; only the rows asked for reach the head.
///
/// Where the model's rows are shifted (row i predicts token i + 1), the row for position p is p -
/// 1; position 0, which no row predicts, has row 0, as in the reference code (Dream: `logits =
/// cat(logits[:1], logits[:-1])`). Keeps nothing between calls, so `CacheAction` changes nothing.
/// Not thread-safe.
class CoreDenoiser final : public Denoiser {
 public:
  /// @param core borrowed
  CoreDenoiser(const InferenceCore& core, AttentionKind attention)
      : core_(core), attention_(attention) {}

  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override;
  [[nodiscard]] int64_t vocab_size() const noexcept override { return core_.spec().vocab_size; }

 private:
  const InferenceCore& core_;
  AttentionKind attention_;
};

/// The kind of attention that the model denoises with.
/// @throws InferenceError if the model allows only causal attention
[[nodiscard]] AttentionKind denoising_attention(const ModelSpec& spec);

}  // namespace aios
