/// Options of every call, as documented plain structs.
///
/// The same words are used on the command line (`--num-steps`), in YAML and JSON (`num_steps`) and
/// here. A default-constructed struct is a sensible request. Structs are values; a
/// `CancellationToken` is shared between the copies and safe to trigger from any thread or from a
/// signal handler.
///
/// The fields of each struct stand in one table (src/engine/option_tables.cpp), from which the
/// functions at the end read YAML and flags. They are stateless and safe to call from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

/// Lets another thread stop a long call. Copies share one flag.
class CancellationToken {
 public:
  CancellationToken() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}
  void cancel() const noexcept { cancelled_->store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_->load(std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

/// Hears how far a long call is. Called from the thread that made the call.
using ProgressCallback = std::function<void(int64_t done, int64_t total)>;

/// Arithmetic of the matrix products. `kAuto`: f32 weights in f32, bf16 weights with bf16 dot
/// products and f32 sums where the processor has them. `kF32`: everything in f32.
enum class ComputeType { kAuto, kF32 };

struct EngineConfig {
  std::string device = "auto";  ///< `auto` or a name from `detect_devices()`
  int32_t num_threads = 0;      ///< 0: one per physical core
  ComputeType compute = ComputeType::kAuto;
  /// Texts whose keys and values stay in memory after `generate`, for a prompt that begins alike.
  int32_t num_prefix_caches = 1;
};

enum class Pooling { kModelDefault, kMean, kCls, kLast };

struct EncodeConfig {
  Pooling pooling = Pooling::kModelDefault;  ///< default: what the model directory says, else mean
  bool normalize = true;                     ///< scale each vector to L2 norm 1
  std::string prompt_name;                   ///< named prompt of config_sentence_transformers.json
  int32_t max_length = 0;                    ///< tokens; 0: the model's own limit
  ProgressCallback progress;                 ///< in tokens
  CancellationToken cancellation;
};

/// Left-to-right writing. Temperature 0 is exactly greedy.
struct GenerationConfig {
  int32_t max_new_tokens = 128;
  float temperature = 0.8F;
  int32_t top_k = 0;                ///< 0: off
  float top_p = 0.95F;              ///< 1: off
  float min_p = 0.0F;               ///< 0: off
  float repetition_penalty = 1.0F;  ///< divides positive, multiplies negative logits of seen ids
  float presence_penalty = 0.0F;
  float frequency_penalty = 0.0F;
  std::vector<std::string> stop;  ///< text ends before the first of these
  int32_t num_samples = 1;
  uint64_t seed = 0;
  bool logprobs = false;  ///< also return the log probability of each token
  CancellationToken cancellation;
};

/// Noise schedules. `t = 0` is clean, `t = 1` all masked; formulas stand in
/// `src/diffusion/noise_scheduler.h`.
enum class ScheduleKind {
  kLogLinear,
  kCosineMdlm,
  kCosineSquared,
  kLinearMdlm,
  kGeometric,
  kPolynomialSquare,
  kPolynomialSquareRoot,
  kLogarithmic,
  kCosineBd3lm,
  kLogLinearBd3lm,
  kLinear,
  kCosineDllm,
};

/// Which masked positions a step reveals, and how. Sources stand in
/// `src/diffusion/discrete_sampler.h`.
enum class Remasking {
  kRandom,                ///< LLaDA: uniformly random positions, even quota
  kLowConfidence,         ///< LLaDA: highest probability first, even quota
  kOrigin,                ///< Dream: every mask flips with probability 1 - s/t
  kMaskgitPlus,           ///< Dream: highest probability first, quota by the eps schedule
  kTopkMargin,            ///< Dream: largest p1 - p2 first
  kEntropy,               ///< Dream: lowest entropy first
  kConfidenceThreshold,   ///< Fast-dLLM: all with p >= threshold, at least one
  kFactor,                ///< Fast-dLLM (dLLM's form): rank r goes while p >= 1 - factor / (r + 1)
  kFactorNvlabs,          ///< Fast-dLLM's later form: the last rank goes as well when only it fails
  kDdpm,                  ///< MDLM ancestral sampling
  kDdpmCache,             ///< MDLM ancestral sampling, p reused while nothing changes
  kFirstHitting,          ///< BD3-LM: one uniformly chosen mask a step, times drawn exactly
  kLowConfidenceStatic,   ///< SDAR: highest probability first, quota per block
  kLowConfidenceDynamic,  ///< SDAR, LLaDA2.0: all above the threshold, else the quota
  kSequential,            ///< SDAR: left to right, quota per block
  kEditing,               ///< LLaDA2.1: dynamic, and revealed tokens may be replaced
  kEntropyBound,          ///< lowest entropy first while the sum of the others stays bounded
};

/// Which keys and values of a canvas are kept between steps. Sources: Fast-dLLM (arXiv 2505.22618).
///
/// Exact where a block does not see later ones (block-causal models): there prefix and dual keep
/// what is final. An approximation where the whole canvas is visible: what is kept was computed
/// when the tokens filled since were still masks (docs/performance.md has the measured loss).
enum class CacheMode {
  kNone,    ///< every step computes the whole canvas
  kPrefix,  ///< what precedes the block's first mask is kept
  kDual,    ///< also what follows its last mask
};

/// Masked diffusion: a canvas of masks, revealed a few tokens a step.
struct DiffusionConfig {
  int32_t max_new_tokens = 64;
  int32_t num_steps = 0;     ///< whole canvas; 0: one step per masked token
  int32_t block_length = 0;  ///< tokens per semi-autoregressive block; 0: one block
  Remasking remasking = Remasking::kLowConfidence;
  ScheduleKind schedule = ScheduleKind::kLinear;
  float temperature = 0.0F;
  int32_t top_k = 0;                  ///< 0: off
  float top_p = 1.0F;                 ///< 1: off
  float alg_temp = 0.0F;              ///< randomness of the order of reveals (Dream); 0: off
  float eps = 1e-3F;                  ///< last time of the eps schedule (Dream, MDLM)
  float confidence_threshold = 0.9F;  ///< threshold, dynamic and editing kinds
  float factor = 1.0F;                ///< factor kinds
  float entropy_bound = 0.1F;         ///< nats, entropy_bound kind
  float editing_threshold = 0.9F;     ///< editing kind
  int32_t max_post_steps = 16;        ///< editing kind: calls after the last mask of a block
  float cfg_scale = 0.0F;             ///< classifier-free guidance; 0: off
  CacheMode kv_cache = CacheMode::kNone;
  int32_t cache_refresh_steps =
      0;  ///< whole canvas every so many steps of a block; 0: at its first
  bool stop_at_end_of_text = true;  ///< cut, and stop early, at the first end-of-text
  std::vector<std::string> stop;    ///< text ends before the first of these
  int32_t num_samples = 1;          ///< canvases drawn at once, each with its own random stream
  uint64_t seed = 0;
  bool logprobs = false;  ///< also return the log probability each token had when revealed
  CancellationToken cancellation;
};

enum class ScoreMode { kAutoregressive, kDiffusion };

/// How likely a text is. Windows do not overlap: begin token, prefix, and so many of the text's
/// tokens that they are `window` together.
struct ScoreConfig {
  ScoreMode mode = ScoreMode::kAutoregressive;
  /// What the documents continue: given, never masked and not scored. None, one for all of them, or
  /// one for each. Tokenized by itself.
  std::vector<std::string> prefix;
  int32_t window = 0;        ///< tokens with the begin token; 0: the model's context length
  bool concatenate = false;  ///< join all documents into one stream before cutting windows
  int32_t max_windows = 0;   ///< 0: all
  int32_t num_draws = 8;     ///< diffusion: antithetic times per window
  bool exact_count = false;  ///< diffusion: LLaDA's estimator (exact number of masks) instead
  uint64_t seed = 0;
  ProgressCallback progress;  ///< in windows
  CancellationToken cancellation;
};

/// All options of a run: one section of a YAML file each, named as the member.
struct Options {
  EngineConfig engine;
  EncodeConfig encode;
  GenerationConfig generation;
  DiffusionConfig diffusion;
  ScoreConfig score;
};

/// How fronts present one field.
struct OptionInfo {
  std::string name;           ///< as in C++, YAML and JSON: `num_steps`
  std::string placeholder;    ///< `N`, `X`, `TEXT`, or the choices `a|b|c`; empty for a switch
  std::string description;    ///< one line
  std::string default_value;  ///< empty for an empty text or list
};

/// The fields of EngineConfig, EncodeConfig, GenerationConfig, DiffusionConfig or ScoreConfig.
template <typename Config>
std::vector<OptionInfo> list_options();

/// Sets the field `name` from text; a list (`stop`, `prefix`) is appended to.
/// @param shown_as what an error calls the field, e.g. `--num-steps`; empty: `name`
/// @throws ConfigError if there is no such field (with a suggestion), or the text is no value of it
template <typename Config>
void set_option(Config& config, std::string_view name, std::string_view text,
                std::string_view shown_as = {});

/// Empties the field `name` if it is a list; others stay as they are.
/// @throws ConfigError if there is no such field
template <typename Config>
void clear_list(Config& config, std::string_view name);

/// Every call checks its options with this first.
/// @throws ConfigError naming the first field that is out of range or not a number
template <typename Config>
void check_options(const Config& config);

/// Sets the fields that a YAML file names: a map of sections, each a map of fields.
/// @throws IoError, or ConfigError with file, line and, for an unknown key, a suggestion
void load_options(const std::string& path, Options& options);

}  // namespace aios
