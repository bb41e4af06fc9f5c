#include "model/inference_core.h"

#include <utility>

#include "model/transformer.h"

namespace aios {
namespace {

std::vector<float> read_all(Backend& backend, const Buffer& buffer) {
  std::vector<float> rows(static_cast<std::size_t>(buffer.rows() * buffer.columns()));
  backend.read(buffer, 0, rows);
  return rows;
}

}  // namespace

InferenceCore::InferenceCore(ModelSpec spec, const WeightLoader& weights,
                             std::shared_ptr<Backend> backend)
    : transformer_(std::make_unique<Transformer>(std::move(spec), weights, backend)),
      backend_(std::move(backend)) {}

InferenceCore::~InferenceCore() = default;

const ModelSpec& InferenceCore::spec() const noexcept { return transformer_->spec(); }

std::unique_ptr<KVCache> InferenceCore::make_cache(int64_t capacity) const {
  return transformer_->make_cache(capacity);
}

std::unique_ptr<KVCache> InferenceCore::copy_cache(const KVCache& cache, int64_t length,
                                                   int64_t capacity) const {
  std::unique_ptr<KVCache> copy = transformer_->make_cache(capacity);
  copy->assign(*backend_, cache, length);
  return copy;
}

void InferenceCore::score(std::span<const SequenceInput> sequences, AttentionKind attention,
                          const HeadRequest& request, HeadResult& result,
                          Recorder* recorder) const {
  const PackedBatch batch = pack(sequences, spec());
  transformer_->head().check(request, batch.num_tokens());
  const BufferPtr hidden = transformer_->forward(batch, attention, recorder);
  transformer_->head().score(request, *hidden, result, recorder);
}

std::vector<float> InferenceCore::hidden_states(std::span<const SequenceInput> sequences,
                                                AttentionKind attention, Recorder* recorder) const {
  const BufferPtr hidden = transformer_->forward(pack(sequences, spec()), attention, recorder);
  return read_all(*backend_, *hidden);
}

std::vector<float> InferenceCore::pooled(std::span<const SequenceInput> sequences,
                                         AttentionKind attention, PoolKind kind,
                                         bool normalize) const {
  const PackedBatch batch = pack(sequences, spec());
  const BufferPtr hidden = transformer_->forward(batch, attention, nullptr);
  const BufferPtr vectors =
      backend_->allocate(static_cast<int64_t>(batch.num_sequences()), spec().hidden_size);
  backend_->pool(kind, normalize, batch.starts, *hidden, *vectors);
  return read_all(*backend_, *vectors);
}

}  // namespace aios
