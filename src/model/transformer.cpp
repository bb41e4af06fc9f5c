#include "model/transformer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "aios/error.h"
#include "model/rotary.h"

namespace aios {

/// What a forward pass holds: rows are tokens.
struct Transformer::Activations {
  BufferPtr hidden;                   // [tokens, hidden_size]
  BufferPtr scratch;                  // the same; for norms and recording
  BufferPtr query;                    // [tokens, num_attention_heads * head_dim]
  BufferPtr key;                      // [tokens, num_key_value_heads * head_dim]
  BufferPtr value;                    // the same
  BufferPtr context;                  // as query: what attention gathers
  std::vector<KeyValueRange> ranges;  // of a layer; kept, so that layers allocate nothing

  Activations(Backend& backend, const ModelSpec& spec, int64_t num_tokens)
      : hidden(backend.allocate(num_tokens, spec.hidden_size)),
        scratch(backend.allocate(num_tokens, spec.hidden_size)),
        query(backend.allocate(num_tokens, spec.num_attention_heads * spec.head_dim)),
        key(backend.allocate(num_tokens, spec.num_key_value_heads * spec.head_dim)),
        value(backend.allocate(num_tokens, spec.num_key_value_heads * spec.head_dim)),
        context(backend.allocate(num_tokens, spec.num_attention_heads * spec.head_dim)) {}
};

namespace {

void check_allowed(AttentionKind attention, const ModelSpec& spec) {
  if (spec.allows(attention)) return;
  std::string allowed;
  for (const AttentionKind kind : spec.attention_kinds) {
    allowed += std::string(" ") + attention_kind_name(kind);
  }
  throw InferenceError("this " + spec.family + " model does not run with " +
                       attention_kind_name(attention) + " attention; it runs with:" + allowed);
}

}  // namespace

BufferPtr Transformer::forward(const PackedBatch& batch, AttentionKind attention,
                               Recorder* recorder) const {
  check_allowed(attention, spec_);
  const int64_t num_tokens = batch.num_tokens();
  Activations state(*backend_, spec_, num_tokens);
  backend_->embed(embed_, {batch.token_ids, batch.positions, {}, batch.starts}, *state.hidden);
  for (int64_t layer = 0; layer < spec_.num_hidden_layers; ++layer) {
    attend(layer, batch, attention, state, recorder);
    apply_mlp(layer, num_tokens, state, recorder);
  }
  normalize_in_place(final_norm_, num_tokens, state);
  for (std::size_t s = 0; s < batch.num_sequences(); ++s) {
    if (batch.caches[s] == nullptr) continue;
    const int64_t end = batch.begins[s] + batch.starts[s + 1] - batch.starts[s];
    batch.caches[s]->length_ = std::max(batch.caches[s]->length_, end);
  }
  return std::move(state.hidden);
}

void Transformer::attend(int64_t layer, const PackedBatch& batch, AttentionKind attention,
                         Activations& state, Recorder* recorder) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  const int64_t num_tokens = batch.num_tokens();
  if (recorder != nullptr) record_attention_input(layer, num_tokens, state, *recorder);
  backend_->attention_input(weights.attention_input, batch.positions, *state.hidden, *state.query,
                            *state.key, *state.value);
  append_to_caches(layer, batch, state);
  find_key_value_ranges(layer, batch, state);
  backend_->attend(attention_op(attention, layer), batch.starts, state.ranges, *state.query,
                   *state.context);
  if (recorder != nullptr) {
    record(*recorder, layer_name(names_.attention_output, layer) + ".weight", num_tokens,
           *state.context, *backend_);
  }
  backend_->project_add(weights.attention_output, num_tokens, *state.context, *state.hidden);
  normalize_in_place(weights.attention_norm, num_tokens, state);
}

void Transformer::apply_mlp(int64_t layer, int64_t num_rows, Activations& state,
                            Recorder* recorder) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  if (recorder != nullptr) record_mlp(layer, num_rows, state, *recorder);
  backend_->mlp(weights.mlp, num_rows, *state.hidden);
  normalize_in_place(weights.mlp_norm, num_rows, state);
}

void Transformer::append_to_caches(int64_t layer, const PackedBatch& batch,
                                   const Activations& state) const {
  for (std::size_t s = 0; s < batch.num_sequences(); ++s) {
    if (batch.caches[s] == nullptr) continue;
    const KVCache::Layer& cached = batch.caches[s]->layers_[static_cast<std::size_t>(layer)];
    const int64_t begin = batch.begins[s];
    const int64_t start = batch.starts[s];
    const int64_t num_tokens = batch.starts[s + 1] - start;
    backend_->copy_rows(*state.key, start, *cached.keys, begin, num_tokens);
    backend_->copy_rows(*state.value, start, *cached.values, begin, num_tokens);
  }
}

void Transformer::find_key_value_ranges(int64_t layer, const PackedBatch& batch,
                                        Activations& state) const {
  state.ranges.clear();
  for (std::size_t s = 0; s < batch.num_sequences(); ++s) {
    const int64_t start = batch.starts[s];
    const int64_t num_tokens = batch.starts[s + 1] - start;
    if (batch.caches[s] == nullptr) {
      state.ranges.push_back({state.key.get(), state.value.get(), start, num_tokens, 0});
    } else {
      const KVCache::Layer& cached = batch.caches[s]->layers_[static_cast<std::size_t>(layer)];
      const int64_t begin = batch.begins[s];
      const int64_t length = std::max(batch.caches[s]->length(), begin + num_tokens);
      state.ranges.push_back({cached.keys.get(), cached.values.get(), 0, length, begin});
    }
  }
}

AttentionOp Transformer::attention_op(AttentionKind attention, int64_t layer) const {
  AttentionOp op;
  op.kind = attention;
  if (attention == AttentionKind::kBlockCausal) op.block_length = spec_.block_length;
  if (attention == AttentionKind::kCausal && !spec_.sliding_windows.empty()) {
    op.sliding_window = spec_.sliding_windows[static_cast<std::size_t>(layer)];
  }
  op.scale = 1.0F / std::sqrt(static_cast<float>(spec_.head_dim));
  op.num_attention_heads = static_cast<int32_t>(spec_.num_attention_heads);
  op.num_key_value_heads = static_cast<int32_t>(spec_.num_key_value_heads);
  op.head_dim = static_cast<int32_t>(spec_.head_dim);
  return op;
}

void Transformer::normalize_in_place(const Norm& norm, int64_t num_rows, Activations& state) const {
  if (!norm) return;
  backend_->normalize(norm, num_rows, *state.hidden, *state.scratch);
  std::swap(state.hidden, state.scratch);
}

/// The backend fuses the norm, so it is applied here once more.
void Transformer::record_attention_input(int64_t layer, int64_t num_rows, Activations& state,
                                         Recorder& recorder) const {
  const Norm& norm = layers_[static_cast<std::size_t>(layer)].attention_input.norm;
  if (norm) backend_->normalize(norm, num_rows, *state.hidden, *state.scratch);
  const Buffer& input = norm ? *state.scratch : *state.hidden;
  for (const std::string* name : {&names_.query, &names_.key, &names_.value}) {
    record(recorder, layer_name(*name, layer) + ".weight", num_rows, input, *backend_);
  }
}

/// The backend fuses the MLP, so its inner input, act(gate x) * up x, is computed here once more.
void Transformer::record_mlp(int64_t layer, int64_t num_rows, Activations& state,
                             Recorder& recorder) const {
  const MlpOp& op = layers_[static_cast<std::size_t>(layer)].mlp;
  if (op.norm) backend_->normalize(op.norm, num_rows, *state.hidden, *state.scratch);
  const Buffer& input = op.norm ? *state.scratch : *state.hidden;
  const auto activated = [&](const Linear& linear, Activation activation) {
    const BufferPtr output = backend_->allocate(num_rows, spec_.intermediate_size);
    backend_->project(linear, activation, num_rows, input, *output);
    std::vector<float> values(static_cast<std::size_t>(num_rows * spec_.intermediate_size));
    backend_->read(*output, 0, values);
    return values;
  };
  record(recorder, layer_name(names_.up, layer) + ".weight", num_rows, input, *backend_);
  std::vector<float> inner = activated(op.up, op.gate ? Activation::kNone : op.activation);
  if (op.gate) {
    record(recorder, layer_name(names_.gate, layer) + ".weight", num_rows, input, *backend_);
    const std::vector<float> gate = activated(op.gate, op.activation);
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] *= gate[i];
  }
  recorder.record(layer_name(names_.down, layer) + ".weight", inner, spec_.intermediate_size);
}

std::unique_ptr<KVCache> Transformer::make_cache(int64_t capacity) const {
  if (capacity < 0 || capacity > spec_.context_length()) {
    throw InferenceError("a cache of " + std::to_string(capacity) +
                         " tokens is asked for where this model's context is " +
                         std::to_string(spec_.context_length()));
  }
  return std::make_unique<KVCache>(*backend_, spec_.num_hidden_layers,
                                   spec_.num_key_value_heads * spec_.head_dim, capacity);
}

Transformer::Transformer(ModelSpec spec, const WeightLoader& weights,
                         std::shared_ptr<Backend> backend)
    : spec_(std::move(spec)), backend_(std::move(backend)) {
  check_model_spec(spec_);
  WeightBinder binder(weights, *backend_);
  names_ = binder.resolve(spec_.names);
  const bool is_post_norm = spec_.norm_placement == NormPlacement::kPost;
  const auto norm = [&](const std::string& name) {
    return binder.norm(name, spec_.norm_kind, spec_.hidden_size, spec_.norm_epsilon);
  };

  embed_.token = binder.matrix(names_.token_embedding, spec_.vocab_size, spec_.hidden_size);
  if (spec_.position_kind == PositionKind::kLearned) {
    embed_.position =
        binder.matrix(names_.position_embedding, spec_.max_position_embeddings, spec_.hidden_size);
  } else {
    rotary_ = make_rotary(spec_.rope, spec_.head_dim);
  }
  if (spec_.type_vocab_size > 0) {
    embed_.type = binder.matrix(names_.type_embedding, spec_.type_vocab_size, spec_.hidden_size);
  }
  if (is_post_norm) embed_.norm = norm(names_.embedding_norm);
  for (int64_t layer = 0; layer < spec_.num_hidden_layers; ++layer) {
    layers_.push_back(bind_layer(binder, layer));
  }
  if (!is_post_norm) final_norm_ = norm(names_.final_norm);
  head_ = std::make_unique<TextProjectionHead>(spec_, names_, embed_.token, binder, *backend_);
  binder.refuse_extra_tensors(spec_.names.ignored);
}

Transformer::Layer Transformer::bind_layer(WeightBinder& binder, int64_t index) const {
  const int64_t hidden_size = spec_.hidden_size;
  const int64_t query_size = spec_.num_attention_heads * spec_.head_dim;
  const int64_t key_size = spec_.num_key_value_heads * spec_.head_dim;
  const auto linear = [&](const std::string& pattern, int64_t in, int64_t out, bool has_bias) {
    return binder.linear(layer_name(pattern, index), in, out, has_bias);
  };
  const auto norm = [&](const std::string& pattern, int64_t size) {
    return binder.norm(layer_name(pattern, index), spec_.norm_kind, size, spec_.norm_epsilon);
  };

  Layer layer;
  AttentionInputOp& input = layer.attention_input;
  input.query = linear(names_.query, hidden_size, query_size, spec_.query_key_value_bias);
  input.key = linear(names_.key, hidden_size, key_size, spec_.query_key_value_bias);
  input.value = linear(names_.value, hidden_size, key_size, spec_.query_key_value_bias);
  if (spec_.query_key_norm) {
    input.query_norm = norm(names_.query_norm, spec_.head_dim);
    input.key_norm = norm(names_.key_norm, spec_.head_dim);
  }
  if (spec_.position_kind == PositionKind::kRotary) input.rotary = &rotary_;
  input.num_attention_heads = static_cast<int32_t>(spec_.num_attention_heads);
  input.num_key_value_heads = static_cast<int32_t>(spec_.num_key_value_heads);
  input.head_dim = static_cast<int32_t>(spec_.head_dim);
  layer.attention_output =
      linear(names_.attention_output, query_size, hidden_size, spec_.attention_output_bias);

  const int64_t inner_size = spec_.intermediate_size;
  if (spec_.gated_mlp)
    layer.mlp.gate = linear(names_.gate, hidden_size, inner_size, spec_.mlp_bias);
  layer.mlp.up = linear(names_.up, hidden_size, inner_size, spec_.mlp_bias);
  layer.mlp.down = linear(names_.down, inner_size, hidden_size, spec_.mlp_bias);
  layer.mlp.activation = spec_.activation;

  const bool is_post_norm = spec_.norm_placement == NormPlacement::kPost;
  (is_post_norm ? layer.attention_norm : input.norm) = norm(names_.attention_norm, hidden_size);
  (is_post_norm ? layer.mlp_norm : layer.mlp.norm) = norm(names_.mlp_norm, hidden_size);
  return layer;
}

}  // namespace aios
