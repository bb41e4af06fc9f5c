/// `ArrowEngine`: one model in memory, used four ways, and scored.
///
/// An engine owns a loaded model (weights memory-mapped), its tokenizer and its threads. It is safe
/// to call from several threads; calls share the thread pool. Results depend only on the model, the
/// inputs and the seed: not on the number of threads, the batch, or other calls.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aios/config.h"
#include "aios/memory.h"
#include "aios/results.h"
#include "aios/tokenizer.h"

namespace aios {

/// A piece of an infill: given text, or a hole of `min_tokens` to `max_tokens` tokens.
struct InfillSegment {
  std::string text;  ///< given text when `max_tokens` is 0
  int32_t min_tokens = 0;
  int32_t max_tokens = 0;
  static InfillSegment given(std::string text) { return {std::move(text), 0, 0}; }
  static InfillSegment hole(int32_t min_tokens, int32_t max_tokens) {
    return {{}, min_tokens, max_tokens};
  }
};

/// Splits a text with holes `[[8]]` or `[[3-12]]` (tokens) into segments; `[[[[` is a literal `[[`.
/// @throws ConfigError with the byte's offset when a hole is malformed
std::vector<InfillSegment> parse_holes(std::string_view text);

/// What stands before a canvas and is no part of what is written. It may change while the canvas
/// clears, as recollections do that are searched again by what is revealed.
struct DiffusionPrompt {
  std::string text;
  int32_t refresh_steps = 0;  ///< steps of a canvas between two calls of `refresh`; 0: none
  /// The text from now on, for a canvas that shows `revealed`: given and revealed tokens behind the
  /// prompt, masks left out. Where it does not fit the context, the former one stays. Called from
  /// the thread that made the call.
  std::function<std::string(const std::string& revealed)> refresh;
};

enum class AttentionMode { kModelDefault, kCausal, kFull };

class ArrowEngine {
 public:
  /// Opens a model directory (see docs/formats). Only footers and headers are read.
  /// @throws IoError, FormatError, DeviceError, InferenceError
  explicit ArrowEngine(const std::string& model_directory, const EngineConfig& config = {});
  ArrowEngine(ArrowEngine&&) noexcept;
  ArrowEngine& operator=(ArrowEngine&&) noexcept;
  ~ArrowEngine();

  /// What this model can do: any of `encode`, `generate`, `diffuse`, `infill`, `score`.
  [[nodiscard]] std::vector<std::string> modes() const;
  [[nodiscard]] const FastTokenizer& tokenizer() const;
  [[nodiscard]] int32_t max_length() const;  ///< context length in tokens

  /// @throws InferenceError if the model is no encoder, TokenizerError on bad UTF-8
  EncodeResult encode(std::span<const std::string> texts, const EncodeConfig& config = {});

  /// Continues a text from left to right, over a cache. Special tokens are never sampled;
  /// end-of-text ends it. `on_text` hears each piece as soon as it is final: whole characters that
  /// can no longer become part of a stop string.
  /// @throws InferenceError if the model cannot, or prompt and new tokens exceed its context;
  ///         ConfigError, TokenizerError, CancelledError (so all calls below)
  GenerationResults generate(const std::string& prompt, const GenerationConfig& config = {},
                             const TextCallback& on_text = {});

  /// Continues a text by filling `max_new_tokens` masks behind it, in any order.
  DiffusionResults diffuse(const std::string& prompt, const DiffusionConfig& config = {},
                           const StepCallback& on_step = {});

  /// The same with a prompt that may change. Its first tokens lead the canvas of every `StepView`.
  /// @throws InferenceError if it is to change before blocks that do not see later ones: what these
  ///         keep of it cannot
  DiffusionResults diffuse(const DiffusionPrompt& prompt, const DiffusionConfig& config = {},
                           const StepCallback& on_step = {});

  /// Fills holes. Given text comes back byte for byte: each piece is tokenized by itself, so a
  /// space before a hole is best left to the hole. Holes with a range get the length that makes the
  /// text on their right likeliest. End-of-text may stand only in a hole that ends the text, and
  /// stop strings count there only.
  /// @param prompt stands before the segments; of the results, only `num_prompt_tokens` counts it
  DiffusionResults infill(std::span<const InfillSegment> segments,
                          const DiffusionConfig& config = {}, const StepCallback& on_step = {},
                          const DiffusionPrompt& prompt = {});

  /// Rewrites the chosen positions of a canvas; all others come back unchanged.
  DiffusionResults edit(std::span<const int32_t> canvas, std::span<const int32_t> positions,
                        const DiffusionConfig& config = {}, const StepCallback& on_step = {});

  /// Exact likelihood left to right, or diffusion's bound. Nothing is suppressed.
  ScoreResult score(std::span<const std::string> documents, const ScoreConfig& config = {});

  /// The network's own rows, unshifted, f32: logits [length, vocabulary], or the states after the
  /// final norm [length, hidden_size].
  LogitsResult logits(std::span<const int32_t> input_ids, AttentionMode attention,
                      bool hidden_states = false);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// The engine's encoder as a memory's source of vectors. Borrows the engine.
/// @param embedding_model what collections are to record of it
std::unique_ptr<EmbeddingProvider> engine_embeddings(ArrowEngine& engine,
                                                     std::string embedding_model,
                                                     const EncodeConfig& config = {});

/// Which memories a text is to be written with in view.
struct MemoryGuidance {
  const VectorSearch* search = nullptr;     ///< borrowed
  EmbeddingProvider* embeddings = nullptr;  ///< borrowed; absent: by words alone
  std::string collection = kDefaultCollection;
  MemoryFilter filter;
  int32_t top_k = 4;
  int32_t max_tokens = 128;  ///< of `Recollections::text`
};

/// Memories as a text to stand before a prompt: quoted line by line and fenced, as data. A memory
/// that does not fit the tokens that are left is passed over.
struct Recollections {
  std::string text;                 ///< empty if nothing was found
  std::vector<SearchHit> memories;  ///< those in the text, best first
};

/// What the memory holds on a text: by meaning and by words.
/// @param tokenizer of the model that is to read it
/// @throws ConfigError, StorageError, FormatError
[[nodiscard]] Recollections recall_memories(const MemoryGuidance& guidance,
                                            const std::string& query,
                                            const FastTokenizer& tokenizer);

/// Library version, e.g. `0.1.0`.
std::string_view version();

}  // namespace aios
