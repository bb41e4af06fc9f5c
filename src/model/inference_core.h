/// A loaded network: token ids in, hidden states, scores or pooled vectors out.
///
/// Thread-safe: calls allocate their own activations. Weights are borrowed from the model
/// directory's mapping, which the core keeps alive.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/kv_cache.h"
#include "model/model_spec.h"
#include "model/packed_batch.h"

namespace aios {

class Recorder;
class Transformer;
class WeightLoader;

class InferenceCore {
 public:
  /// @param spec from `parse_model_spec`, perhaps with other modes, attention kinds or token ids
  /// @throws FormatError naming a missing, extra or mis-shaped tensor
  InferenceCore(ModelSpec spec, const WeightLoader& weights, std::shared_ptr<Backend> backend);
  ~InferenceCore();

  [[nodiscard]] const ModelSpec& spec() const noexcept;
  [[nodiscard]] std::unique_ptr<KVCache> make_cache(int64_t capacity) const;
  /// Another cache with the first `length` tokens of one of this network.
  /// @throws InferenceError if it holds fewer, or `capacity` is less
  [[nodiscard]] std::unique_ptr<KVCache> copy_cache(const KVCache& cache, int64_t length,
                                                    int64_t capacity) const;

  /// Scores of the vocabulary. `request.rows` index the tokens of all sequences laid end to end.
  /// Rows are the network's own: the caller shifts (`spec().logit_shift`).
  /// @throws InferenceError on an id out of range, an empty sequence, or one beyond the context
  void score(std::span<const SequenceInput> sequences, AttentionKind attention,
             const HeadRequest& request, HeadResult& result, Recorder* recorder = nullptr) const;

  /// Hidden states after the final norm, [tokens, hidden_size].
  [[nodiscard]] std::vector<float> hidden_states(std::span<const SequenceInput> sequences,
                                                 AttentionKind attention,
                                                 Recorder* recorder = nullptr) const;
  /// One vector per sequence, [sequences, hidden_size].
  [[nodiscard]] std::vector<float> pooled(std::span<const SequenceInput> sequences,
                                          AttentionKind attention, PoolKind kind,
                                          bool normalize) const;

 private:
  std::unique_ptr<Transformer> transformer_;
  std::shared_ptr<Backend> backend_;
};

}  // namespace aios
