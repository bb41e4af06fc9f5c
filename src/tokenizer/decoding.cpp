#include "tokenizer/decoding.h"

#include "aios/error.h"

namespace aios::tokenizer {

Decoding::Decoding(const Pipeline& pipeline, bool skip_special)
    : pipeline_(&pipeline),
      skip_special_(skip_special),
      output_(std::make_unique<Output>()),
      run_(pipeline.decoder().start(*output_)) {}

void Decoding::push(int32_t id) {
  const auto token = pipeline_->text(id);
  if (!token) {
    throw TokenizerError("id " + std::to_string(id) +
                         " is not in the vocabulary, whose ids end at " +
                         std::to_string(pipeline_->id_bound() - 1));
  }
  if (skip_special_ && pipeline_->is_special(id)) return;
  run_->push(*token);
}

}  // namespace aios::tokenizer
