#include "convert/loss_comparison.h"

#include <algorithm>
#include <span>
#include <sstream>
#include <utility>

#include "aios/engine.h"
#include "aios/error.h"

namespace aios {
namespace {

constexpr int32_t kMaxWindows = 64;
constexpr std::size_t kMaxLines = 512;

bool has(const ArrowEngine& engine, const std::string& mode) {
  const std::vector<std::string> modes = engine.modes();
  return std::ranges::find(modes, mode) != modes.end();
}

ScoreConfig score_config(ScoreMode mode, const ArrowEngine& engine,
                         const CancellationToken& cancellation) {
  constexpr int32_t kWindow = 256;
  ScoreConfig config;
  config.mode = mode;
  config.window = std::min(kWindow, engine.max_length());
  config.max_windows = kMaxWindows;
  config.cancellation = cancellation;
  return config;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; lines.size() < kMaxLines && std::getline(stream, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) lines.push_back(std::move(line));
  }
  return lines;
}

/// The mean cosine between each line's two vectors, which have length 1.
double mean_cosine(const EncodeResult& before, const EncodeResult& after) {
  double sum = 0;
  for (std::size_t i = 0; i < before.embeddings.size(); ++i) {
    sum += double{before.embeddings[i]} * after.embeddings[i];
  }
  return sum / static_cast<double>(before.num_tokens.size());
}

}  // namespace

std::vector<ConvertReport::Loss> compare_losses(const std::string& before, const std::string& after,
                                                const ConvertOptions& options) {
  ArrowEngine first(before);
  ArrowEngine second(after);
  std::vector<ConvertReport::Loss> losses;
  const auto score = [&](ScoreMode mode) {
    const ScoreConfig config = score_config(mode, first, options.cancellation);
    const std::span<const std::string> documents(&options.eval_text, 1);
    return std::pair(first.score(documents, config), second.score(documents, config));
  };
  if (has(first, "generate")) {
    const auto [old_score, new_score] = score(ScoreMode::kAutoregressive);
    losses.push_back({"perplexity", old_score.perplexity, new_score.perplexity});
  }
  if (has(first, "diffuse")) {
    const auto [old_score, new_score] = score(ScoreMode::kDiffusion);
    losses.push_back({"nelbo", old_score.nats_per_token, new_score.nats_per_token});
  }
  if (has(first, "encode")) {
    const std::vector<std::string> lines = lines_of(options.eval_text);
    if (lines.empty()) throw ConfigError("the eval text has no lines");
    EncodeConfig config;
    config.cancellation = options.cancellation;
    losses.push_back(
        {"cosine", 1, mean_cosine(first.encode(lines, config), second.encode(lines, config))});
  }
  return losses;
}

}  // namespace aios
