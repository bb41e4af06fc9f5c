/// What the calls return: plain structs that own their data.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

/// Wall-clock seconds of each phase of a call.
struct PhaseSeconds {
  double tokenize = 0;
  double prompt = 0;   ///< forward passes over the prompt
  double compute = 0;  ///< all other forward passes and sampling
  double total = 0;
};

struct EncodeResult {
  int32_t dimension = 0;
  std::vector<float> embeddings;    ///< [texts, dimension], row major
  std::vector<int32_t> num_tokens;  ///< per text, after truncation, special tokens included
  std::vector<bool> truncated;      ///< per text: did it lose its end?
  PhaseSeconds seconds;
  [[nodiscard]] std::span<const float> embedding(std::size_t text) const& {
    return std::span(embeddings)
        .subspan(text * static_cast<std::size_t>(dimension), static_cast<std::size_t>(dimension));
  }
  std::span<const float> embedding(std::size_t text) const&& = delete;  ///< would outlive it
};

enum class FinishReason { kLength, kEndOfText, kStopString };

struct GenerationResult {
  std::string text;                ///< what was written, without the prompt
  std::vector<int32_t> token_ids;  ///< ids of `text`
  std::vector<float> logprobs;     ///< per token, if asked for
  FinishReason finish_reason = FinishReason::kLength;
  int32_t num_prompt_tokens = 0;
};

struct GenerationResults {
  std::vector<GenerationResult> samples;
  int32_t num_cached_tokens = 0;  ///< of the prompt, kept from a former call
  PhaseSeconds seconds;
  double tokens_per_second = 0;  ///< written, all samples, per second of prompt and compute
};

struct DiffusionResult {
  std::string text;                ///< diffuse: the answer; infill: the whole text, holes filled
  std::vector<std::string> holes;  ///< infill: the text of each hole
  std::vector<int32_t> token_ids;  ///< diffuse: the answer's ids; infill: the whole canvas
  std::vector<float> logprobs;     ///< per token of `token_ids`, if asked for; 0 for given tokens
  FinishReason finish_reason = FinishReason::kLength;
  int32_t num_steps = 0;  ///< steps that were done
  int32_t num_prompt_tokens = 0;
};

struct DiffusionResults {
  std::vector<DiffusionResult> samples;
  int32_t num_forward_passes = 0;
  PhaseSeconds seconds;
  double tokens_per_second = 0;
};

/// The canvas after a step, for fronts that show or stream it. Spans live during the callback only.
struct StepView {
  int32_t sample = 0;
  int32_t step = 0;                    ///< 0: before the first
  int32_t num_steps = 0;               ///< planned
  std::span<const int32_t> token_ids;  ///< whole canvas, prompt included
  std::span<const uint8_t> masked;     ///< per position: still a mask?
};
using StepCallback = std::function<void(const StepView&)>;

/// A piece of text that is final: never half a UTF-8 character.
using TextCallback = std::function<void(int32_t sample, std::string_view piece)>;

struct ScoreResult {
  int64_t num_windows = 0;
  int64_t num_tokens = 0;  ///< scored tokens
  int64_t num_bytes = 0;   ///< bytes of text they stand for
  double nats_per_token = 0;
  double standard_error = 0;  ///< of nats_per_token; 0 for exact likelihoods
  double nats_per_byte = 0;
  double bits_per_byte = 0;
  double perplexity = 0;            ///< exp(nats_per_token); an upper bound for diffusion
  std::vector<double> window_nats;  ///< per window, summed over its tokens
  PhaseSeconds seconds;
};

/// A matrix of network outputs, row major.
struct LogitsResult {
  int64_t num_rows = 0;
  int64_t num_columns = 0;
  std::vector<float> values;
};

/// Writes a [num_rows, num_columns] matrix as NumPy's .npy, float32. The file appears whole or not
/// at all.
/// @throws IoError
void save_npy(const std::string& path, int64_t num_rows, int64_t num_columns,
              std::span<const float> values);

/// Writes one row per text as Parquet: `text` (string) and `embedding` (fixed-size list of float).
/// The file appears whole or not at all.
/// @throws IoError
void save_embeddings(const std::string& path, std::span<const std::string> texts,
                     const EncodeResult& result);

}  // namespace aios
