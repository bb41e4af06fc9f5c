#include "engine/generate.h"

#include <algorithm>
#include <utility>

#include "aios/error.h"
#include "base/random.h"
#include "engine/stop_strings.h"
#include "engine/stopwatch.h"
#include "sampling/generate_tokens.h"

namespace aios {
namespace {

std::vector<int32_t> prompt_ids(const LoadedModel& model, const std::string& prompt) {
  std::vector<int32_t> ids = model.token_rules().prefix;
  const Encoding encoding = model.tokenizer().encode(prompt, {.add_special_tokens = false});
  ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
  return ids;
}

void check_length(const LoadedModel& model, std::size_t num_prompt_tokens, int32_t max_new_tokens) {
  const int64_t length = static_cast<int64_t>(num_prompt_tokens) + max_new_tokens;
  if (length <= model.max_length()) return;
  throw InferenceError(
      "a prompt of " + std::to_string(num_prompt_tokens) + " tokens and " +
      std::to_string(max_new_tokens) + " new ones do not fit the model's context of " +
      std::to_string(model.max_length()) + "; shorten the prompt or lower max_new_tokens");
}

/// Scores the next token of one sample after another, over one cache: of the prompt, what was known
/// is not computed again, and when the next sample begins only its last token is.
class CachedForward {
 public:
  CachedForward(const InferenceCore& core, PrefixCaches& caches, std::span<const int32_t> prompt,
                int64_t capacity)
      : core_(core),
        caches_(caches),
        num_prompt_tokens_(prompt.size()),
        text_(caches.take(core, prompt, capacity)),
        num_cached_tokens_(text_.token_ids.size()) {}
  ~CachedForward() { caches_.keep(std::move(text_)); }
  CachedForward(const CachedForward&) = delete;
  CachedForward& operator=(const CachedForward&) = delete;

  void operator()(int32_t sample, std::span<const int32_t> token_ids, const HeadRequest& request,
                  HeadResult& result) {
    if (sample != sample_) {  // these are the prompt's
      sample_ = sample;
      text_.token_ids.resize(std::min(text_.token_ids.size(), num_prompt_tokens_ - 1));
      text_.cache->truncate(std::ssize(text_.token_ids));
      token_ids = token_ids.subspan(text_.token_ids.size());
    }
    const SequenceInput sequence{token_ids, text_.cache.get()};
    const int32_t last_row = static_cast<int32_t>(token_ids.size()) - 1;
    HeadRequest last = request;
    last.rows = std::span(&last_row, 1);
    core_.score(std::span(&sequence, 1), AttentionKind::kCausal, last, result);
    text_.token_ids.insert(text_.token_ids.end(), token_ids.begin(), token_ids.end());
    if (prompt_seconds_ == 0) prompt_seconds_ = watch_.lap();
  }

  [[nodiscard]] double prompt_seconds() const noexcept { return prompt_seconds_; }
  [[nodiscard]] std::size_t num_cached_tokens() const noexcept { return num_cached_tokens_; }

 private:
  const InferenceCore& core_;
  PrefixCaches& caches_;
  std::size_t num_prompt_tokens_;
  CachedText text_;
  std::size_t num_cached_tokens_;
  int32_t sample_ = -1;
  Stopwatch watch_;
  double prompt_seconds_ = 0;
};

/// The text of one sample while it is written.
class SampleText {
 public:
  /// What the decoder says of the prompt's tokens is left out; it decides how the first new token
  /// joins on.
  SampleText(const FastTokenizer& tokenizer, std::span<const int32_t> prompt,
             const std::vector<std::string>& stop)
      : decoder_(tokenizer), filter_(stop) {
    for (const int32_t id : prompt) (void)decoder_.push(id);
  }

  /// What is final now. After it, `stopped()` may hold.
  std::string push(int32_t id) { return keep(filter_.push(decoder_.push(id))); }
  std::string finish() {
    std::string rest = filter_.push(decoder_.finish());
    return keep(rest + filter_.finish());
  }
  [[nodiscard]] bool stopped() const noexcept { return filter_.stopped(); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string keep(std::string piece) {
    text_ += piece;
    return piece;
  }

  StreamingDecoder decoder_;
  StopStringFilter filter_;
  std::string text_;
};

/// Drops the tokens at the end that a stop string cut off, in part or whole.
void cut_to_text(const FastTokenizer& tokenizer, GenerationResult& result) {
  while (!result.token_ids.empty() &&
         tokenizer.decode(result.token_ids).size() > result.text.size()) {
    result.token_ids.pop_back();
  }
  if (!result.logprobs.empty()) result.logprobs.resize(result.token_ids.size());
}

}  // namespace

GenerationResults generate_text(const LoadedModel& model, PrefixCaches& caches,
                                const std::string& prompt, const GenerationConfig& config,
                                const TextCallback& on_text) {
  check_options(config);
  model.require(Mode::kGenerate);
  Stopwatch watch;
  const std::vector<int32_t> ids = prompt_ids(model, prompt);
  check_length(model, ids.size(), config.max_new_tokens);
  GenerationResults results;
  results.seconds.tokenize = watch.lap();

  std::vector<SampleText> texts;
  const auto emit = [&](const std::string& piece) {
    if (on_text && !piece.empty()) on_text(static_cast<int32_t>(texts.size()) - 1, piece);
  };
  const auto begin_sample = [&] {
    if (!texts.empty()) emit(texts.back().finish());
    texts.emplace_back(model.tokenizer(), ids, config.stop);
  };
  const auto on_token = [&](int32_t sample, int32_t id) {
    while (std::ssize(texts) <= sample) begin_sample();
    emit(texts.back().push(id));
    return !texts.back().stopped();
  };
  CachedForward forward(model.core(), caches, ids, std::ssize(ids) + config.max_new_tokens);
  const GenerationTokens special{model.token_rules().suppressed, model.token_rules().end};
  std::vector<GeneratedTokens> samples = generate_tokens(
      std::ref(forward), ids, config, special, PhiloxUniformSource(config.seed), on_token);
  while (texts.size() < samples.size()) begin_sample();
  emit(texts.back().finish());

  int64_t num_written = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    GenerationResult& result = results.samples.emplace_back();
    result.text = texts[i].text();
    result.token_ids = std::move(samples[i].token_ids);
    result.logprobs = std::move(samples[i].logprobs);
    result.finish_reason =
        texts[i].stopped() ? FinishReason::kStopString : samples[i].finish_reason;
    result.num_prompt_tokens = static_cast<int32_t>(ids.size());
    num_written += std::ssize(result.token_ids);
    if (texts[i].stopped()) cut_to_text(model.tokenizer(), result);
  }
  results.num_cached_tokens = static_cast<int32_t>(forward.num_cached_tokens());
  results.seconds.prompt = forward.prompt_seconds();
  results.seconds.compute = watch.lap() - results.seconds.prompt;
  results.seconds.total = watch.total();
  const double seconds = results.seconds.prompt + results.seconds.compute;
  results.tokens_per_second = seconds > 0 ? static_cast<double>(num_written) / seconds : 0;
  return results;
}

}  // namespace aios
