#include "sampling/token_sampler.h"

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "aios/error.h"
#include "sampling/row_candidates.h"
#include "sampling/row_filters.h"

namespace aios {
namespace {

using Ids = std::vector<int32_t>;

const PhiloxUniformSource kNoise(5);

GenerationConfig greedy() {
  GenerationConfig config;
  config.temperature = 0;
  config.top_p = 1;
  return config;
}

/// What a head answers to the sampler's request when the row is `logits`.
HeadResult answer(const TokenSampler& sampler, std::vector<float> logits) {
  const HeadRequest request = sampler.request();
  HeadResult result;
  result.vocab_size = static_cast<int64_t>(logits.size());
  suppress_tokens(logits, request.suppressed_token_ids);
  RowSampling sampling;
  sampling.softmax_temperature = static_cast<double>(request.softmax_temperature);
  sampling.gumbel_scale = static_cast<double>(request.gumbel_scale);
  sampling.noise = request.noise;
  sampling.key = request.noise_keys[0];
  if (request.output == HeadOutput::kCandidates) {
    result.candidates = {row_candidates(logits, sampling)};
  } else {
    result.logits = std::move(logits);
  }
  return result;
}

// transformers' own processors, in its own order, in float32 (tools/make_sampling_goldens.py).
TEST(TokenSampler, ProcessesRowsAsTransformersDoes) {
  std::ifstream file(AIOS_SOURCE_DIR "/tests/goldens/sampling/processed_scores.json");
  const auto golden = nlohmann::json::parse(file);
  ASSERT_EQ(golden.at("cases").size(), 144U);
  for (const auto& one : golden.at("cases")) {
    GenerationConfig config;
    config.repetition_penalty = one.at("repetition_penalty").get<float>();
    config.temperature = one.at("temperature").get<float>();
    config.top_k = one.at("top_k").get<int32_t>();
    config.top_p = one.at("top_p").get<float>();
    config.min_p = one.value("min_p", 0.0F);
    const Ids suppressed = one.value("suppress_tokens", Ids{});
    const TokenSampler sampler(config, suppressed, one.at("seen").get<Ids>(), 0, kNoise);
    auto logits = one.at("logits").get<std::vector<float>>();
    sampler.process(logits);
    for (std::size_t id = 0; id < logits.size(); ++id) {
      const auto& score = one.at("scores").at(id);
      if (score.is_null()) {
        EXPECT_EQ(logits[id], kRuledOut) << id;
      } else {
        // Six decimals in the file, and float32 division in both.
        EXPECT_NEAR(logits[id], score.get<double>(), 2e-6 + 1e-6 * std::abs(score.get<double>()));
      }
    }
  }
}

// Counted over generated tokens only: the prompt's do not pay (OpenAI's definition, as in vLLM).
TEST(TokenSampler, PresenceAndFrequencyCountGeneratedTokens) {
  GenerationConfig config = greedy();
  config.presence_penalty = 0.5F;
  config.frequency_penalty = 0.25F;
  TokenSampler sampler(config, {}, Ids{2, 2}, 0, kNoise);
  for (const int32_t id : {0, 0, 1}) {
    std::vector<float> logits(3, 0.0F);
    logits[static_cast<std::size_t>(id)] = 9;
    HeadResult result = answer(sampler, logits);
    EXPECT_EQ(sampler.sample(result).id, id);
  }
  std::vector<float> logits = {4, 4, 4};
  sampler.process(logits);
  EXPECT_EQ(logits, (std::vector<float>{4 - 0.5F - 2 * 0.25F, 4 - 0.5F - 0.25F, 4}));
}

TEST(TokenSampler, AsksForWholeRowsOnlyWhereARuleNeedsThem) {
  TokenSampler sampler(greedy(), Ids{4}, Ids{1}, 0, kNoise);
  const HeadRequest request = sampler.request();
  EXPECT_EQ(request.output, HeadOutput::kCandidates);
  EXPECT_EQ(request.gumbel_scale, 0);
  EXPECT_EQ(Ids(request.suppressed_token_ids.begin(), request.suppressed_token_ids.end()), Ids{4});
  EXPECT_EQ(request.rows.size(), 1U);
  HeadResult result;
  result.candidates.resize(1);
  result.candidates[0].sampled_id = 3;
  result.candidates[0].sampled_log_prob = -0.25F;
  const SampledToken token = sampler.sample(result);
  EXPECT_EQ(token.id, 3);
  EXPECT_EQ(token.log_prob, -0.25F);

  GenerationConfig penalised = greedy();
  penalised.repetition_penalty = 1.1F;
  EXPECT_EQ(TokenSampler(penalised, {}, {}, 0, kNoise).request().output, HeadOutput::kLogits);
  GenerationConfig filtered = greedy();
  filtered.top_p = 0.9F;  // cannot matter to an argmax
  EXPECT_EQ(TokenSampler(filtered, {}, {}, 0, kNoise).request().output, HeadOutput::kCandidates);
  filtered.temperature = 1;
  EXPECT_EQ(TokenSampler(filtered, {}, {}, 0, kNoise).request().output, HeadOutput::kLogits);
}

/// Pearson's statistic of 20000 draws from `expected`.
double chi_square(const GenerationConfig& config, const std::vector<float>& logits,
                  const std::map<int32_t, double>& expected) {
  constexpr int kDraws = 20000;
  std::map<int32_t, int> counts;
  for (int32_t sample = 0; sample < kDraws; ++sample) {
    TokenSampler sampler(config, {}, {}, sample, kNoise);
    HeadResult result = answer(sampler, logits);
    ++counts[sampler.sample(result).id];
  }
  double statistic = 0;
  for (const auto& [id, count] : counts) {
    if (!expected.contains(id)) return HUGE_VAL;
  }
  for (const auto& [id, probability] : expected) {
    const double difference = counts[id] - kDraws * probability;
    statistic += difference * difference / (kDraws * probability);
  }
  return statistic;
}

// Limits: upper 1e-6 quantiles of chi-square with 4 and 1 degrees of freedom, 33.4 and 23.9.
TEST(TokenSampler, DrawsFollowTheTemperedAndTruncatedSoftmax) {
  const std::vector<float> logits = {1.0F, -0.5F, 0.25F, 2.0F, 0.0F};
  GenerationConfig config = greedy();
  config.temperature = 0.7F;
  std::map<int32_t, double> expected;
  double sum = 0;
  for (int32_t id = 0; id < 5; ++id) {
    const double logit = static_cast<double>(logits[static_cast<std::size_t>(id)]);
    sum += expected[id] = std::exp(logit / static_cast<double>(0.7F));
  }
  for (auto& [id, probability] : expected) probability /= sum;
  EXPECT_LT(chi_square(config, logits, expected), 33.4);

  config.top_k = 2;
  const double kept = expected[3] + expected[0];
  EXPECT_LT(chi_square(config, logits, {{0, expected[0] / kept}, {3, expected[3] / kept}}), 23.9);
}

// Fused or from the whole row (min_p 1e-9 rules out nothing), a token is drawn with the same
// numbers.
TEST(TokenSampler, FusedDrawsAreTheRowsDraws) {
  GenerationConfig config = greedy();
  config.temperature = 0.5F;
  config.logprobs = true;
  for (int32_t sample = 0; sample < 200; ++sample) {
    const std::vector<float> logits = {0.5F, 1.0F, -0.25F, 0.75F};
    config.min_p = 0;
    TokenSampler fused(config, {}, {}, sample, kNoise);
    ASSERT_EQ(fused.request().output, HeadOutput::kCandidates);
    HeadResult candidates = answer(fused, logits);
    config.min_p = 1e-9F;
    TokenSampler whole(config, {}, {}, sample, kNoise);
    ASSERT_EQ(whole.request().output, HeadOutput::kLogits);
    HeadResult row = answer(whole, logits);
    const SampledToken a = fused.sample(candidates);
    const SampledToken b = whole.sample(row);
    EXPECT_EQ(a.id, b.id);
    EXPECT_FLOAT_EQ(a.log_prob, b.log_prob);
  }
}

TEST(TokenSampler, SeedAndSampleNameTheText) {
  GenerationConfig config = greedy();
  config.temperature = 1;
  const auto draw = [&](const UniformSource& noise, int32_t index) {
    TokenSampler sampler(config, {}, {}, index, noise);
    Ids ids;
    for (int i = 0; i < 20; ++i) {
      HeadResult result = answer(sampler, std::vector<float>(50, 0.0F));
      ids.push_back(sampler.sample(result).id);
    }
    return ids;
  };
  EXPECT_EQ(draw(kNoise, 0), draw(kNoise, 0));
  EXPECT_NE(draw(kNoise, 0), draw(kNoise, 1));
  EXPECT_NE(draw(kNoise, 0), draw(PhiloxUniformSource(6), 0));
}

TEST(TokenSampler, LogProbabilitiesAreTheModelsOwn) {
  GenerationConfig config = greedy();
  config.temperature = 0.1F;
  config.top_k = 1;
  config.logprobs = true;
  TokenSampler sampler(config, Ids{2}, {}, 0, kNoise);
  HeadResult result = answer(sampler, {1, 0, 7, 3});
  const SampledToken token = sampler.sample(result);
  EXPECT_EQ(token.id, 3);
  EXPECT_NEAR(token.log_prob, 3 - std::log(std::exp(1) + 1 + std::exp(3)), 1e-6);
}

TEST(TokenSampler, RefusesRowsWithoutAToken) {
  GenerationConfig config = greedy();
  config.temperature = 1;
  for (const auto& logits : {std::vector<float>{0, std::nanf("")},
                             std::vector<float>{0, -kRuledOut}, std::vector<float>(2, kRuledOut)}) {
    TokenSampler sampler(config, {}, {}, 0, kNoise);
    HeadResult result = answer(sampler, logits);
    EXPECT_THROW(sampler.sample(result), InferenceError);
  }
  TokenSampler argmax(greedy(), {}, {}, 0, kNoise);
  HeadResult nothing;
  nothing.candidates.resize(1);
  EXPECT_THROW(argmax.sample(nothing), InferenceError);
}

TEST(TokenSampler, RefusesOptionsOutOfRange) {
  const auto error = [](auto&& change) {
    GenerationConfig config;
    change(config);
    try {
      check_generation_config(config);
    } catch (const ConfigError& problem) {
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  const float nan = std::nanf("");
  const auto says = [](const char* option) { return testing::StartsWith(option); };
  EXPECT_EQ(error([](auto&) {}), "no error");
  EXPECT_THAT(error([](auto& c) { c.max_new_tokens = 0; }), says("max_new_tokens"));
  EXPECT_THAT(error([&](auto& c) { c.temperature = nan; }), says("temperature"));
  EXPECT_THAT(error([](auto& c) { c.temperature = -0.1F; }), says("temperature"));
  EXPECT_THAT(error([](auto& c) { c.top_k = -1; }), says("top_k"));
  EXPECT_THAT(error([](auto& c) { c.top_p = 0; }), says("top_p"));
  EXPECT_THAT(error([&](auto& c) { c.top_p = nan; }), says("top_p"));
  EXPECT_THAT(error([](auto& c) { c.min_p = 1.1F; }), says("min_p"));
  EXPECT_THAT(error([](auto& c) { c.repetition_penalty = 0; }), says("repetition_penalty"));
  EXPECT_THAT(error([&](auto& c) { c.presence_penalty = nan; }), says("presence_penalty"));
  EXPECT_THAT(error([](auto& c) { c.frequency_penalty = HUGE_VALF; }), says("frequency_penalty"));
  EXPECT_THAT(error([](auto& c) { c.num_samples = 0; }), says("num_samples"));
}

}  // namespace
}  // namespace aios
