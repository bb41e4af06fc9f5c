#include "model/text_projection_head.h"

#include <numeric>
#include <string>
#include <vector>

#include "aios/error.h"

namespace aios {
namespace {

void require(bool holds, const std::string& complaint) {
  if (!holds) throw InferenceError(complaint);
}

/// The rows asked for, in order.
BufferPtr gather(const HeadRequest& request, const Buffer& hidden, Backend& backend) {
  BufferPtr rows = backend.allocate(std::ssize(request.rows), hidden.columns());
  for (std::size_t i = 0; i < request.rows.size(); ++i) {
    backend.copy_rows(hidden, request.rows[i], *rows, static_cast<int64_t>(i), 1);
  }
  return rows;
}

}  // namespace

TextProjectionHead::TextProjectionHead(const ModelSpec& spec, const TensorNames& names,
                                       const DeviceTensorPtr& token_embedding, WeightBinder& binder,
                                       Backend& backend)
    : kind_(spec.head),
      vocab_size_(spec.vocab_size),
      hidden_size_(spec.hidden_size),
      activation_(spec.head_activation),
      transform_name_(names.head_transform + ".weight"),
      projection_name_(names.head + ".weight"),
      backend_(backend) {
  if (kind_ == HeadKind::kNone) return;
  if (kind_ == HeadKind::kTransform) {
    transform_ = binder.linear(names.head_transform, hidden_size_, hidden_size_, true);
    norm_ = binder.norm(names.head_norm, spec.norm_kind, hidden_size_, spec.norm_epsilon);
  }
  const bool is_tied = spec.tie_word_embeddings && !binder.has(projection_name_);
  projection_.weight =
      is_tied ? token_embedding : binder.matrix(names.head, vocab_size_, hidden_size_);
  projection_.in_features = hidden_size_;
  projection_.out_features = vocab_size_;
  if (!spec.head_bias) return;
  projection_.bias = binder.tensor(binder.first_present(names.head_bias), {vocab_size_});
}

void TextProjectionHead::check(const HeadRequest& request, int64_t num_rows) const {
  require(kind_ != HeadKind::kNone,
          "this model has no scores of the vocabulary: it encodes, and cannot generate or diffuse");
  for (const int32_t row : request.rows) {
    if (row >= 0 && row < num_rows) continue;
    throw InferenceError("row " + std::to_string(row) + " is asked for where there are " +
                         std::to_string(num_rows));
  }
  for (const auto& ids : {request.suppressed_token_ids, request.target_ids}) {
    for (const int32_t id : ids) {
      if (id >= 0 && id < vocab_size_) continue;
      throw InferenceError("token id " + std::to_string(id) +
                           " is outside this model's vocabulary of " + std::to_string(vocab_size_));
    }
  }
}

void TextProjectionHead::score(const HeadRequest& request, const Buffer& hidden, HeadResult& result,
                               Recorder* recorder) const {
  if (kind_ == HeadKind::kLinear) {
    if (recorder != nullptr) {
      const BufferPtr wanted = gather(request, hidden, backend_);
      record(*recorder, projection_name_, wanted->rows(), *wanted, backend_);
    }
    backend_.head(projection_, request, hidden, result);
    return;
  }
  const BufferPtr wanted = gather(request, hidden, backend_);
  const int64_t num_wanted = wanted->rows();
  const BufferPtr transformed = backend_.allocate(num_wanted, hidden_size_);
  if (recorder != nullptr) record(*recorder, transform_name_, num_wanted, *wanted, backend_);
  backend_.project(transform_, activation_, num_wanted, *wanted, *transformed);
  backend_.normalize(norm_, num_wanted, *transformed, *wanted);
  if (recorder != nullptr) record(*recorder, projection_name_, num_wanted, *wanted, backend_);

  std::vector<int32_t> rows(request.rows.size());
  std::iota(rows.begin(), rows.end(), 0);
  HeadRequest packed = request;
  packed.rows = rows;
  backend_.head(projection_, packed, *wanted, result);
}

}  // namespace aios
