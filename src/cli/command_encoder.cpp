#include "cli/command_encoder.h"

#include <filesystem>
#include <utility>

#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/progress_bar.h"

namespace aios {

CommandEncoder::CommandEncoder(const Session& session, std::string model)
    : session_(session), model_(std::move(model)) {}

CommandEncoder::~CommandEncoder() = default;

std::string CommandEncoder::embedding_model() const {
  return std::filesystem::weakly_canonical(choose_model(model_, kDefaultEncoder)).filename();
}

std::vector<float> CommandEncoder::embed(std::span<const std::string> texts) {
  Options options = session_.options();
  if (engine_ == nullptr) {
    engine_ = std::make_unique<ArrowEngine>(choose_model(model_, kDefaultEncoder), options.engine);
  }
  const Cancellable cancellable;
  ProgressBar bar("encoding");
  options.encode.cancellation = cancellable.token();
  options.encode.progress = bar.callback();
  return engine_embeddings(*engine_, embedding_model(), options.encode)->embed(texts);
}

}  // namespace aios
