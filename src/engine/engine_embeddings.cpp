#include "aios/engine.h"
#include "aios/memory.h"

namespace aios {
namespace {

class EngineEmbeddings final : public EmbeddingProvider {
 public:
  EngineEmbeddings(ArrowEngine& engine, std::string name, EncodeConfig config)
      : engine_(engine), name_(std::move(name)), config_(std::move(config)) {}

  [[nodiscard]] std::string embedding_model() const override { return name_; }
  [[nodiscard]] std::vector<float> embed(std::span<const std::string> texts) override {
    return std::move(engine_.encode(texts, config_).embeddings);
  }

 private:
  ArrowEngine& engine_;
  std::string name_;
  EncodeConfig config_;
};

}  // namespace

std::unique_ptr<EmbeddingProvider> engine_embeddings(ArrowEngine& engine,
                                                     std::string embedding_model,
                                                     const EncodeConfig& config) {
  return std::make_unique<EngineEmbeddings>(engine, std::move(embedding_model), config);
}

}  // namespace aios
