#include "sampling/generate_tokens.h"

#include "aios/error.h"

namespace aios {
namespace {

using Ids = std::vector<int32_t>;

const PhiloxUniformSource kNoise(3);

/// A network that always thinks of the last token plus one, modulo 10.
struct Counter {
  struct Call {
    int32_t sample;
    Ids token_ids;
  };
  std::vector<Call> calls;

  ForwardFn forward() {
    return [this](int32_t sample, std::span<const int32_t> token_ids, const HeadRequest& request,
                  HeadResult& result) {
      calls.push_back({sample, {token_ids.begin(), token_ids.end()}});
      const int32_t next = (token_ids.back() + 1) % 10;
      result = {};
      result.vocab_size = 10;
      if (request.output == HeadOutput::kCandidates) {
        result.candidates.resize(1);
        result.candidates[0].sampled_id = next;
        result.candidates[0].sampled_log_prob = -0.5F;
      } else {
        result.logits.assign(10, 0.0F);
        result.logits[static_cast<std::size_t>(next)] = 40;
      }
    };
  }
};

GenerationConfig config_of(int32_t max_new_tokens, float temperature = 0) {
  GenerationConfig config;
  config.max_new_tokens = max_new_tokens;
  config.temperature = temperature;
  return config;
}

TEST(GenerateTokens, FeedsThePromptOnceAndThenEachToken) {
  for (const float temperature : {0.0F, 1.0F}) {
    Counter counter;
    GenerationConfig config = config_of(4, temperature);
    config.num_samples = 2;
    const auto samples = generate_tokens(counter.forward(), Ids{7, 3}, config, {}, kNoise);
    ASSERT_EQ(samples.size(), 2U);
    for (const GeneratedTokens& sample : samples) {
      EXPECT_EQ(sample.token_ids, (Ids{4, 5, 6, 7}));
      EXPECT_EQ(sample.finish_reason, FinishReason::kLength);
      EXPECT_TRUE(sample.logprobs.empty());
    }
    ASSERT_EQ(counter.calls.size(), 8U);
    EXPECT_EQ(counter.calls[0].token_ids, (Ids{7, 3}));
    EXPECT_EQ(counter.calls[1].token_ids, Ids{4});
    EXPECT_EQ(counter.calls[3].token_ids, Ids{6});  // the last token is never fed
    EXPECT_EQ(counter.calls[4].sample, 1);
    EXPECT_EQ(counter.calls[4].token_ids, (Ids{7, 3}));
  }
}

TEST(GenerateTokens, EndsAtAnEndTokenWithoutWritingIt) {
  Counter counter;
  const auto samples =
      generate_tokens(counter.forward(), Ids{0}, config_of(9), {{}, {9, 3}}, kNoise);
  EXPECT_EQ(samples[0].token_ids, (Ids{1, 2}));
  EXPECT_EQ(samples[0].finish_reason, FinishReason::kEndOfText);
}

TEST(GenerateTokens, EndsWhenTheCallbackSaysSo) {
  Counter counter;
  Ids seen;
  const auto samples = generate_tokens(counter.forward(), Ids{0}, config_of(9), {}, kNoise,
                                       [&](int32_t sample, int32_t token_id) {
                                         EXPECT_EQ(sample, 0);
                                         seen.push_back(token_id);
                                         return token_id != 4;
                                       });
  EXPECT_EQ(samples[0].token_ids, (Ids{1, 2, 3, 4}));
  EXPECT_EQ(seen, (Ids{1, 2, 3, 4}));
  EXPECT_EQ(samples[0].finish_reason, FinishReason::kStopString);
}

TEST(GenerateTokens, GivesLogProbabilitiesIfAsked) {
  Counter counter;
  GenerationConfig config = config_of(2);
  config.logprobs = true;
  const auto samples = generate_tokens(counter.forward(), Ids{0}, config, {}, kNoise);
  EXPECT_EQ(samples[0].logprobs, (std::vector<float>{-0.5F, -0.5F}));
}

TEST(GenerateTokens, SuppressedTokensAreNeverWritten) {
  Counter counter;
  GenerationConfig config = config_of(30, 1);  // top_p asks for whole rows
  config.num_samples = 20;
  const auto samples = generate_tokens(counter.forward(), Ids{8}, config, {{9, 0, 5}, {}}, kNoise);
  for (const GeneratedTokens& sample : samples) {
    for (const int32_t id : sample.token_ids) EXPECT_TRUE(id != 9 && id != 0 && id != 5);
  }
}

TEST(GenerateTokens, CanBeCancelled) {
  Counter counter;
  const GenerationConfig config = config_of(9);
  const auto cancel = [&](int32_t, int32_t token_id) {
    if (token_id == 2) config.cancellation.cancel();
    return true;
  };
  EXPECT_THROW(generate_tokens(counter.forward(), Ids{0}, config, {}, kNoise, cancel),
               CancelledError);
  EXPECT_EQ(counter.calls.size(), 2U);
}

TEST(GenerateTokens, RefusesAnEmptyPromptAndBadOptions) {
  Counter counter;
  EXPECT_THROW(generate_tokens(counter.forward(), {}, config_of(1), {}, kNoise), InferenceError);
  EXPECT_THROW(generate_tokens(counter.forward(), Ids{1}, config_of(-1), {}, kNoise), ConfigError);
  EXPECT_TRUE(counter.calls.empty());
}

}  // namespace
}  // namespace aios
