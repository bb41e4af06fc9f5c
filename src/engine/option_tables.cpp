#include "engine/option_field.h"

namespace aios {
namespace {

constexpr double kMaxThreads = 1024;
constexpr double kMaxSamples = 1024;
constexpr double kMaxDraws = 65536;

const Choices<Remasking> kRemaskingWords = {
    {"random", Remasking::kRandom},
    {"low_confidence", Remasking::kLowConfidence},
    {"origin", Remasking::kOrigin},
    {"maskgit_plus", Remasking::kMaskgitPlus},
    {"topk_margin", Remasking::kTopkMargin},
    {"entropy", Remasking::kEntropy},
    {"confidence_threshold", Remasking::kConfidenceThreshold},
    {"factor", Remasking::kFactor},
    {"factor_nvlabs", Remasking::kFactorNvlabs},
    {"ddpm", Remasking::kDdpm},
    {"ddpm_cache", Remasking::kDdpmCache},
    {"first_hitting", Remasking::kFirstHitting},
    {"low_confidence_static", Remasking::kLowConfidenceStatic},
    {"low_confidence_dynamic", Remasking::kLowConfidenceDynamic},
    {"sequential", Remasking::kSequential},
    {"editing", Remasking::kEditing},
    {"entropy_bound", Remasking::kEntropyBound},
};

const Choices<ScheduleKind> kScheduleWords = {
    {"log_linear", ScheduleKind::kLogLinear},
    {"cosine_mdlm", ScheduleKind::kCosineMdlm},
    {"cosine_squared", ScheduleKind::kCosineSquared},
    {"linear_mdlm", ScheduleKind::kLinearMdlm},
    {"geometric", ScheduleKind::kGeometric},
    {"polynomial_square", ScheduleKind::kPolynomialSquare},
    {"polynomial_square_root", ScheduleKind::kPolynomialSquareRoot},
    {"logarithmic", ScheduleKind::kLogarithmic},
    {"cosine_bd3lm", ScheduleKind::kCosineBd3lm},
    {"log_linear_bd3lm", ScheduleKind::kLogLinearBd3lm},
    {"linear", ScheduleKind::kLinear},
    {"cosine_dllm", ScheduleKind::kCosineDllm},
};

}  // namespace

template <>
const std::vector<OptionField<EngineConfig>>& option_table() {
  using C = EngineConfig;
  static const std::vector<OptionField<C>> table = {
      text("device", &C::device, "where to compute: auto, or a name that `aios devices` lists"),
      number("num_threads", &C::num_threads, between(0, kMaxThreads),
             "threads; 0: one per physical core"),
      choice("compute", &C::compute,
             Choices<ComputeType>{{"auto", ComputeType::kAuto}, {"f32", ComputeType::kF32}},
             "arithmetic; auto: bf16 weights with bf16 dot products, f32 sums"),
      number("num_prefix_caches", &C::num_prefix_caches, between(0, kMaxSamples),
             "generated texts kept for a prompt that begins alike, which is then faster; 0: none"),
  };
  return table;
}

template <>
const std::vector<OptionField<EncodeConfig>>& option_table() {
  using C = EncodeConfig;
  static const std::vector<OptionField<C>> table = {
      choice("pooling", &C::pooling,
             Choices<Pooling>{{"default", Pooling::kModelDefault},
                              {"mean", Pooling::kMean},
                              {"cls", Pooling::kCls},
                              {"last", Pooling::kLast}},
             "which hidden states make the vector; default: what the model says, else mean"),
      flag("normalize", &C::normalize, "scale each vector to length 1"),
      text("prompt_name", &C::prompt_name, "a prompt of config_sentence_transformers.json"),
      number("max_length", &C::max_length, at_least(0), "tokens; 0: the model's own limit"),
  };
  return table;
}

template <>
const std::vector<OptionField<GenerationConfig>>& option_table() {
  using C = GenerationConfig;
  static const std::vector<OptionField<C>> table = {
      number("max_new_tokens", &C::max_new_tokens, at_least(1), "tokens to write at most"),
      number("temperature", &C::temperature, at_least(0), "0: exactly greedy"),
      number("top_k", &C::top_k, at_least(0), "keep the k likeliest tokens; 0: off"),
      number("top_p", &C::top_p, above_up_to(0, 1),
             "keep the likeliest tokens up to mass p; 1: off"),
      number("min_p", &C::min_p, between(0, 1),
             "keep tokens at least this likely, relative to the likeliest; 0: off"),
      number("repetition_penalty", &C::repetition_penalty, above(0),
             "divides positive, multiplies negative logits of seen tokens; 1: off"),
      number("presence_penalty", &C::presence_penalty, between(-100, 100),
             "taken from the logit of a token once it is there"),
      number("frequency_penalty", &C::frequency_penalty, between(-100, 100),
             "taken from the logit of a token each time it is there"),
      texts("stop", &C::stop, "end the text before this string; may be repeated"),
      number("num_samples", &C::num_samples, between(1, kMaxSamples), "texts to write"),
      number("seed", &C::seed, at_least(0), "of the random numbers"),
      flag("logprobs", &C::logprobs, "also give the log probability of each token"),
  };
  return table;
}

template <>
const std::vector<OptionField<DiffusionConfig>>& option_table() {
  using C = DiffusionConfig;
  static const std::vector<OptionField<C>> table = {
      number("max_new_tokens", &C::max_new_tokens, at_least(1), "masks after the prompt"),
      number("num_steps", &C::num_steps, {.min = 1, .zero_unset = true},
             "steps for the whole canvas; unset: one per masked token"),
      number("block_length", &C::block_length, at_least(0),
             "tokens per block, blocks from left to right; 0: one block"),
      choice("remasking", &C::remasking, kRemaskingWords, "which masks a step reveals"),
      choice("schedule", &C::schedule, kScheduleWords, "how many masks are left at which time"),
      number("temperature", &C::temperature, at_least(0), "0: exactly greedy"),
      number("top_k", &C::top_k, at_least(0), "keep the k likeliest tokens; 0: off"),
      number("top_p", &C::top_p, above_up_to(0, 1),
             "keep the likeliest tokens up to mass p; 1: off"),
      number("alg_temp", &C::alg_temp, at_least(0), "randomness of the order of reveals; 0: off"),
      number("eps", &C::eps, above_up_to(0, 0.5), "last time of the eps schedule"),
      number("confidence_threshold", &C::confidence_threshold, between(0, 1),
             "for the threshold, dynamic and editing kinds of remasking"),
      number("factor", &C::factor, above(0), "for the factor kinds of remasking"),
      number("entropy_bound", &C::entropy_bound, at_least(0),
             "nats, for the entropy_bound kind of remasking"),
      number("editing_threshold", &C::editing_threshold, between(0, 1),
             "for the editing kind of remasking"),
      number("max_post_steps", &C::max_post_steps, at_least(0),
             "for the editing kind: steps after the last mask of a block"),
      number("cfg_scale", &C::cfg_scale, at_least(0), "classifier-free guidance; 0: off"),
      choice("kv_cache", &C::kv_cache,
             Choices<CacheMode>{{"none", CacheMode::kNone},
                                {"prefix", CacheMode::kPrefix},
                                {"dual", CacheMode::kDual}},
             "keep keys and values of what precedes the block, or of all around it; approximate, "
             "but exact for block-causal models"),
      number("cache_refresh_steps", &C::cache_refresh_steps, at_least(0),
             "steps of a block between computations of the whole canvas; 0: its first step only"),
      flag("stop_at_end_of_text", &C::stop_at_end_of_text,
           "end the text at the first end-of-text, and stop early"),
      texts("stop", &C::stop, "end the text before this string; may be repeated"),
      number("num_samples", &C::num_samples, between(1, kMaxSamples), "canvases to fill"),
      number("seed", &C::seed, at_least(0), "of the random numbers"),
      flag("logprobs", &C::logprobs, "also give the log probability of each token"),
  };
  return table;
}

template <>
const std::vector<OptionField<ScoreConfig>>& option_table() {
  using C = ScoreConfig;
  static const std::vector<OptionField<C>> table = {
      choice("mode", &C::mode,
             Choices<ScoreMode>{{"ar", ScoreMode::kAutoregressive},
                                {"diffusion", ScoreMode::kDiffusion}},
             "exact likelihood left to right, or diffusion's bound (NELBO)"),
      texts("prefix", &C::prefix,
            "what the document continues: given, not scored; once, or once for each document"),
      number("window", &C::window, {.min = 2, .zero_unset = true},
             "tokens of a window, begin token included; unset: the model's context length"),
      flag("concatenate", &C::concatenate, "join all documents before cutting windows"),
      number("max_windows", &C::max_windows, at_least(0), "score the first ones only; 0: all"),
      number("num_draws", &C::num_draws, between(1, kMaxDraws),
             "diffusion: antithetic draws per window"),
      flag("exact_count", &C::exact_count, "diffusion: LLaDA's estimator, exact numbers of masks"),
      number("seed", &C::seed, at_least(0), "of the random numbers"),
  };
  return table;
}

}  // namespace aios
