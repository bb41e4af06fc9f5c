/// A network as the denoising loop sees it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "diffusion/denoiser.h"
#include "model/inference_core.h"

namespace aios {

/// All windows go through the network in one packed pass; only the rows asked for reach the head.
///
/// Where the model's rows are shifted (row i predicts token i + 1), the row for position p is p -
/// 1; position 0, which no row predicts, has row 0, as in the reference code (Dream: `logits =
/// cat(logits[:1], logits[:-1])`). `CacheAction` counts after `keep_caches`: the row before a
/// kept one is always computed, for the shift. Not thread-safe.
class CoreDenoiser final : public Denoiser {
 public:
  /// @param core borrowed
  CoreDenoiser(const InferenceCore& core, AttentionKind attention)
      : core_(core), attention_(attention), shift_(core.spec().logit_shift ? 1 : 0) {}

  /// From now on keys and values are kept, in one cache of `capacity` tokens for each canvas.
  void keep_caches(int64_t capacity) { cache_capacity_ = capacity; }

  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override;
  [[nodiscard]] int64_t vocab_size() const noexcept override { return core_.spec().vocab_size; }

 private:
  /// What is kept of one canvas.
  struct Kept {
    std::unique_ptr<KVCache> cache;
    int32_t final_end = 0;  // of what never changes again: blocks that see no later ones
  };
  [[nodiscard]] bool keeps(const DenoiseInput& input) const noexcept;
  [[nodiscard]] Kept& kept(int32_t canvas);
  /// The part of the input's window that must be computed, with the cache that holds the rest.
  [[nodiscard]] SequenceInput sequence_of(const DenoiseInput& input);
  void drop_unfinished(std::span<const DenoiseInput> inputs);

  const InferenceCore& core_;
  AttentionKind attention_;
  int32_t shift_;
  std::optional<int64_t> cache_capacity_;
  std::map<int32_t, Kept> kept_;  // by canvas
};

/// The kind of attention that the model denoises with.
/// @throws InferenceError if the model allows only causal attention
[[nodiscard]] AttentionKind denoising_attention(const ModelSpec& spec);

}  // namespace aios
