#include "engine/core_denoiser.h"

#include <algorithm>
#include <vector>

#include "aios/error.h"

namespace aios {

bool CoreDenoiser::keeps(const DenoiseInput& input) const noexcept {
  if (!cache_capacity_) return false;
  return attention_ == AttentionKind::kBlockCausal || input.cache_action == CacheAction::kRefresh ||
         input.cache_action == CacheAction::kReuse;
}

CoreDenoiser::Kept& CoreDenoiser::kept(int32_t canvas) {
  Kept& kept = kept_[canvas];
  if (kept.cache == nullptr) kept.cache = core_.make_cache(*cache_capacity_);
  return kept;
}

SequenceInput CoreDenoiser::sequence_of(const DenoiseInput& input) {
  if (!keeps(input)) return {input.window, nullptr};
  KVCache& cache = *kept(input.canvas).cache;
  if (attention_ == AttentionKind::kBlockCausal) {
    return {input.window.subspan(static_cast<std::size_t>(cache.length())), &cache};
  }
  if (input.cache_action == CacheAction::kRefresh) {
    cache.truncate(0);
    return {input.window, &cache};
  }
  const int32_t begin = std::max(input.active.begin - shift_, 0);
  const auto size = static_cast<std::size_t>(input.active.end - begin);
  return {input.window.subspan(static_cast<std::size_t>(begin), size), &cache, begin};
}

/// A block that sees no later ones is kept when it is final; until then it is computed anew.
void CoreDenoiser::drop_unfinished(std::span<const DenoiseInput> inputs) {
  if (attention_ != AttentionKind::kBlockCausal) return;
  for (const DenoiseInput& input : inputs) {
    if (!keeps(input)) continue;
    Kept& canvas = kept(input.canvas);
    canvas.cache->truncate(std::max(canvas.final_end - shift_, 0));
  }
}

void CoreDenoiser::denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
                           HeadResult& result) {
  std::vector<SequenceInput> sequences;
  std::vector<int32_t> rows;
  int32_t start = 0;
  for (const DenoiseInput& input : inputs) {
    if (input.cache_action == CacheAction::kStore && keeps(input)) {
      kept(input.canvas).final_end = static_cast<int32_t>(input.window.size());
    }
    if (input.positions.empty()) continue;  // a notice
    const SequenceInput& sequence = sequences.emplace_back(sequence_of(input));
    const auto begin = static_cast<int32_t>(sequence.begin());
    for (const int32_t position : input.positions) {
      rows.push_back(start + std::max(position - shift_, 0) - begin);
    }
    start += static_cast<int32_t>(sequence.token_ids.size());
  }
  if (sequences.empty()) return;
  HeadRequest shifted = request;
  shifted.rows = rows;
  core_.score(sequences, attention_, shifted, result);
  drop_unfinished(inputs);
}

AttentionKind denoising_attention(const ModelSpec& spec) {
  for (const AttentionKind kind : spec.attention_kinds) {
    if (kind != AttentionKind::kCausal) return kind;
  }
  throw InferenceError("a " + spec.family +
                       " model sees only what is to the left: it cannot diffuse");
}

}  // namespace aios
