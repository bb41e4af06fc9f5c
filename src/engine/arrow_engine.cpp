#include <numeric>
#include <utility>

#include "aios/engine.h"
#include "aios/error.h"
#include "engine/diffuse.h"
#include "engine/encode.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"
#include "engine/prefix_caches.h"
#include "engine/score.h"

namespace aios {
namespace {

AttentionKind choose_attention(const ModelSpec& spec, AttentionMode mode) {
  switch (mode) {
    case AttentionMode::kModelDefault:
      return spec.attention_kinds.front();
    case AttentionMode::kCausal:
      return AttentionKind::kCausal;
    case AttentionMode::kFull:
      return AttentionKind::kFull;
  }
  throw ConfigError("attention must be the model's default, causal or full");
}

}  // namespace

struct ArrowEngine::Implementation {
  Implementation(const std::string& model_directory, const EngineConfig& config)
      : model(model_directory, config),
        caches(static_cast<std::size_t>(config.num_prefix_caches)) {}
  LoadedModel model;
  PrefixCaches caches;  // of generated texts
};

ArrowEngine::ArrowEngine(const std::string& model_directory, const EngineConfig& config) {
  check_options(config);
  implementation_ = std::make_unique<Implementation>(model_directory, config);
}

ArrowEngine::ArrowEngine(ArrowEngine&&) noexcept = default;
ArrowEngine& ArrowEngine::operator=(ArrowEngine&&) noexcept = default;
ArrowEngine::~ArrowEngine() = default;

std::vector<std::string> ArrowEngine::modes() const {
  return mode_names(implementation_->model.spec());
}

const FastTokenizer& ArrowEngine::tokenizer() const { return implementation_->model.tokenizer(); }

int32_t ArrowEngine::max_length() const { return implementation_->model.max_length(); }

EncodeResult ArrowEngine::encode(std::span<const std::string> texts, const EncodeConfig& config) {
  return encode_texts(implementation_->model, texts, config);
}

GenerationResults ArrowEngine::generate(const std::string& prompt, const GenerationConfig& config,
                                        const TextCallback& on_text) {
  return generate_text(implementation_->model, implementation_->caches, prompt, config, on_text);
}

DiffusionResults ArrowEngine::diffuse(const std::string& prompt, const DiffusionConfig& config,
                                      const StepCallback& on_step) {
  return diffuse(DiffusionPrompt{prompt, 0, {}}, config, on_step);
}

DiffusionResults ArrowEngine::diffuse(const DiffusionPrompt& prompt, const DiffusionConfig& config,
                                      const StepCallback& on_step) {
  return diffuse_prompt(implementation_->model, prompt, config, on_step);
}

DiffusionResults ArrowEngine::infill(std::span<const InfillSegment> segments,
                                     const DiffusionConfig& config, const StepCallback& on_step,
                                     const DiffusionPrompt& prompt) {
  return fill_segments(implementation_->model, prompt, segments, config, on_step);
}

DiffusionResults ArrowEngine::edit(std::span<const int32_t> canvas,
                                   std::span<const int32_t> positions,
                                   const DiffusionConfig& config, const StepCallback& on_step) {
  return edit_canvas(implementation_->model, canvas, positions, config, on_step);
}

ScoreResult ArrowEngine::score(std::span<const std::string> documents, const ScoreConfig& config) {
  return score_documents(implementation_->model, documents, config);
}

LogitsResult ArrowEngine::logits(std::span<const int32_t> input_ids, AttentionMode attention,
                                 bool hidden_states) {
  const InferenceCore& core = implementation_->model.core();
  const AttentionKind kind = choose_attention(core.spec(), attention);
  const SequenceInput sequence{input_ids, nullptr};
  LogitsResult result;
  result.num_rows = std::ssize(input_ids);
  if (hidden_states) {
    result.num_columns = core.spec().hidden_size;
    result.values = core.hidden_states(std::span(&sequence, 1), kind);
    return result;
  }
  std::vector<int32_t> rows(input_ids.size());
  std::iota(rows.begin(), rows.end(), 0);
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  request.rows = rows;
  HeadResult head;
  core.score(std::span(&sequence, 1), kind, request, head);
  result.num_columns = head.vocab_size;
  result.values = std::move(head.logits);
  return result;
}

std::string_view version() { return AIOS_VERSION; }

}  // namespace aios
