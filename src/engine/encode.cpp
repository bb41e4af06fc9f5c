#include "engine/encode.h"

#include <algorithm>
#include <numeric>

#include "aios/error.h"
#include "engine/sentence_settings.h"
#include "engine/stopwatch.h"

namespace aios {
namespace {

/// Enough for wide matrix products; the activations of a batch stay in the caches' reach.
constexpr std::size_t kBatchTokens = 4096;

int32_t choose_max_length(const LoadedModel& model, const SentenceSettings& settings,
                          int32_t wanted) {
  const int32_t context = model.max_length();
  if (wanted > context) {
    throw ConfigError("max_length: " + std::to_string(wanted) +
                      " tokens are more than the model's " + std::to_string(context));
  }
  if (wanted > 0) return wanted;
  return settings.max_length > 0 ? std::min(settings.max_length, context) : context;
}

PoolKind choose_pooling(const SentenceSettings& settings, Pooling wanted) {
  switch (wanted) {
    case Pooling::kModelDefault:
      return settings.pooling.value_or(PoolKind::kMean);
    case Pooling::kMean:
      return PoolKind::kMean;
    case Pooling::kCls:
      return PoolKind::kCls;
    case Pooling::kLast:
      return PoolKind::kLast;
  }
  return PoolKind::kMean;
}

std::vector<Encoding> tokenize(const LoadedModel& model, std::span<const std::string> texts,
                               const std::string& prompt, int32_t max_length) {
  const TokenizeOptions options{.max_length = max_length};
  std::vector<Encoding> encodings;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    encodings.push_back(model.tokenizer().encode(prompt + texts[i], options));
    if (encodings.back().ids.empty()) {
      throw InferenceError("text " + std::to_string(i) + " is empty: it has no tokens to encode");
    }
  }
  return encodings;
}

}  // namespace

EncodeResult encode_texts(const LoadedModel& model, std::span<const std::string> texts,
                          const EncodeConfig& config) {
  check_options(config);
  model.require(Mode::kEncode);
  Stopwatch watch;
  const SentenceSettings settings = read_sentence_settings(model.directory());
  const PoolKind pooling = choose_pooling(settings, config.pooling);
  const int32_t max_length = choose_max_length(model, settings, config.max_length);
  const std::string prompt = prompt_named(settings, config.prompt_name);

  EncodeResult result;
  const std::vector<Encoding> encodings = tokenize(model, texts, prompt, max_length);
  int64_t total_tokens = 0;
  for (const Encoding& encoding : encodings) {
    result.num_tokens.push_back(static_cast<int32_t>(encoding.ids.size()));
    result.truncated.push_back(encoding.truncated);
    total_tokens += std::ssize(encoding.ids);
  }
  result.seconds.tokenize = watch.lap();

  std::vector<std::size_t> order(texts.size());  // shortest first: batches of similar lengths
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return encodings[a].ids.size() < encodings[b].ids.size();
  });
  result.dimension = static_cast<int32_t>(model.spec().hidden_size);
  const auto dimension = static_cast<std::size_t>(result.dimension);
  result.embeddings.resize(texts.size() * dimension);
  int64_t done_tokens = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    if (config.cancellation.cancelled()) throw CancelledError("encoding was cancelled");
    std::vector<SequenceInput> batch;
    std::size_t num_tokens = 0;
    while (end < order.size()) {
      const std::vector<int32_t>& ids = encodings[order[end]].ids;
      if (!batch.empty() && num_tokens + ids.size() > kBatchTokens) break;
      batch.push_back({ids, nullptr});
      num_tokens += ids.size();
      ++end;
    }
    const std::vector<float> vectors =
        model.core().pooled(batch, model.spec().attention_kinds.front(), pooling, config.normalize);
    for (std::size_t i = begin; i < end; ++i) {
      const auto vector = vectors.begin() + static_cast<std::ptrdiff_t>((i - begin) * dimension);
      std::copy_n(vector, dimension,
                  result.embeddings.begin() + static_cast<std::ptrdiff_t>(order[i] * dimension));
    }
    done_tokens += static_cast<int64_t>(num_tokens);
    if (config.progress) config.progress(done_tokens, total_tokens);
  }
  result.seconds.compute = watch.lap();
  result.seconds.total = watch.total();
  return result;
}

}  // namespace aios
