/// From hidden states to scores of the vocabulary, for the rows asked for and no others.
#pragma once

#include <cstdint>
#include <string>

#include "backend/backend.h"
#include "model/model_spec.h"
#include "model/recorder.h"
#include "model/weight_binder.h"

namespace aios {

/// Immutable and thread-safe.
class TextProjectionHead {
 public:
  /// @param names resolved
  /// @param token_embedding the head's matrix as well, if the spec ties them and the file has no
  /// own
  TextProjectionHead(const ModelSpec& spec, const TensorNames& names,
                     const DeviceTensorPtr& token_embedding, WeightBinder& binder,
                     Backend& backend);

  /// Before the work is done: can this be answered for so many rows of hidden states?
  /// @throws InferenceError if the network has no head, or a row or an id is out of range
  void check(const HeadRequest& request, int64_t num_rows) const;

  /// @param hidden states after the final norm
  void score(const HeadRequest& request, const Buffer& hidden, HeadResult& result,
             Recorder* recorder) const;

 private:
  HeadKind kind_;
  int64_t vocab_size_;
  int64_t hidden_size_;
  Linear transform_;  // kTransform
  Activation activation_;
  Norm norm_;  // kTransform
  Linear projection_;
  std::string transform_name_;   // for the recorder
  std::string projection_name_;  // for the recorder
  Backend& backend_;
};

}  // namespace aios
