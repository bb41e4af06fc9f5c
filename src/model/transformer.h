/// The network, read from its spec: one forward pass for every architecture.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "model/kv_cache.h"
#include "model/model_spec.h"
#include "model/packed_batch.h"
#include "model/recorder.h"
#include "model/text_projection_head.h"
#include "model/weight_binder.h"
#include "storage/weight_loader.h"

namespace aios {

/// Immutable and thread-safe: each call has its own activations. Keeps the backend alive.
class Transformer {
 public:
  /// Looks at every tensor's name and shape, and at no weight.
  /// @throws FormatError for a missing, extra or mis-shaped tensor, or a contradictory spec
  Transformer(ModelSpec spec, const WeightLoader& weights, std::shared_ptr<Backend> backend);

  Transformer(const Transformer&) = delete;  // layers point to rotary_
  Transformer& operator=(const Transformer&) = delete;

  [[nodiscard]] const ModelSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] const TextProjectionHead& head() const noexcept { return *head_; }
  /// @throws InferenceError if `capacity` is negative or beyond the context
  [[nodiscard]] std::unique_ptr<KVCache> make_cache(int64_t capacity) const;

  /// Hidden states after the last norm, [tokens, hidden_size]; caches have grown by the tokens.
  /// @throws InferenceError if the spec does not allow this kind of attention
  [[nodiscard]] BufferPtr forward(const PackedBatch& batch, AttentionKind attention,
                                  Recorder* recorder) const;

 private:
  struct Layer {
    AttentionInputOp attention_input;  // norm, projections and rotation
    Linear attention_output;
    Norm attention_norm;  // kPost: of the sum of hidden state and attention
    MlpOp mlp;
    Norm mlp_norm;  // kPost: of the sum of hidden state and MLP
  };
  struct Activations;

  [[nodiscard]] Layer bind_layer(WeightBinder& binder, int64_t index) const;
  [[nodiscard]] AttentionOp attention_op(AttentionKind attention, int64_t layer) const;
  void attend(int64_t layer, const PackedBatch& batch, AttentionKind attention, Activations& state,
              Recorder* recorder) const;
  void apply_mlp(int64_t layer, int64_t num_rows, Activations& state, Recorder* recorder) const;
  /// Stores this call's keys and values; the caches count them when the call is done.
  void append_to_caches(int64_t layer, const PackedBatch& batch, const Activations& state) const;
  /// state.ranges = where the keys and values of each sequence stand.
  void find_key_value_ranges(int64_t layer, const PackedBatch& batch, Activations& state) const;
  void record_attention_input(int64_t layer, int64_t num_rows, Activations& state,
                              Recorder& recorder) const;
  void record_mlp(int64_t layer, int64_t num_rows, Activations& state, Recorder& recorder) const;
  void normalize_in_place(const Norm& norm, int64_t num_rows, Activations& state) const;

  ModelSpec spec_;
  TensorNames names_;  // resolved
  std::shared_ptr<Backend> backend_;
  Rotary rotary_;
  EmbedOp embed_;
  std::vector<Layer> layers_;
  Norm final_norm_;  // kPre
  std::unique_ptr<TextProjectionHead> head_;
};

}  // namespace aios
