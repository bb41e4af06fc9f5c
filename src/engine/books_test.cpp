// The engine on books-6m, the default model. Facts hold for whatever it writes; likelihoods are
// checked against sums over its own logits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"

namespace aios {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::Not;
using testing::ThrowsMessage;

constexpr int32_t kMask = 1;
const std::string kModel = std::string(AIOS_SOURCE_DIR) + "/models/books-6m";
const std::string kPrompt = "It was a dark and stormy";

ArrowEngine& engine() {
  static ArrowEngine shared(kModel, EngineConfig{.num_threads = 2, .compute = ComputeType::kF32});
  return shared;
}

std::string excerpt() {
  std::ifstream file(std::string(AIOS_SOURCE_DIR) + "/examples/excerpt.txt");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// -ln p of `target` in a row of logits, in double.
double nats(std::span<const float> row, int32_t target) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const float logit : row) sum += std::exp(logit - largest);
  return largest + std::log(sum) - row[static_cast<std::size_t>(target)];
}

std::span<const float> row_of(const LogitsResult& logits, std::size_t row) {
  const auto columns = static_cast<std::size_t>(logits.num_columns);
  return std::span(logits.values).subspan(row * columns, columns);
}

TEST(BooksEngine, SaysWhatItCanDo) {
  EXPECT_THAT(engine().modes(), ElementsAre("generate", "diffuse", "infill", "score"));
  EXPECT_EQ(engine().max_length(), 256);
  EXPECT_THAT([] { engine().encode(std::vector<std::string>{"a"}); },
              ThrowsMessage<InferenceError>(HasSubstr("it can: generate, diffuse, infill, score")));
}

TEST(BooksEngine, GreedyTextIsTheArgmaxOfTheLogits) {
  GenerationConfig config;
  config.temperature = 0;
  config.max_new_tokens = 12;
  const GenerationResult written = engine().generate(kPrompt, config).samples.front();
  std::vector<int32_t> ids = engine().tokenizer().encode(kPrompt).ids;
  EXPECT_EQ(written.num_prompt_tokens, std::ssize(ids));
  for (const int32_t id : written.token_ids) {
    const LogitsResult logits = engine().logits(ids, AttentionMode::kCausal);
    const auto row = row_of(logits, ids.size() - 1);
    const auto best = std::max_element(row.begin() + 3, row.end());  // 0, 1, 2 are suppressed
    EXPECT_EQ(id, std::distance(row.begin(), best));
    ids.push_back(id);
  }
  EXPECT_EQ(written.text, engine().tokenizer().decode(written.token_ids));
}

TEST(BooksEngine, StreamsWhatItReturns) {
  GenerationConfig config;
  config.num_samples = 3;
  config.max_new_tokens = 30;
  std::map<int32_t, std::string> streamed;
  const GenerationResults results =
      engine().generate(kPrompt, config, [&](int32_t sample, std::string_view piece) {
        EXPECT_FALSE(piece.empty());
        streamed[sample] += piece;
      });
  ASSERT_EQ(results.samples.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(streamed[static_cast<int32_t>(i)], results.samples[i].text);
  }
  // A sample does not depend on those before it: the third alone of a run is the third of three.
  EXPECT_NE(results.samples[0].text, results.samples[1].text);
  EXPECT_NE(results.samples[1].text, results.samples[2].text);
}

TEST(BooksEngine, StopStringsEndTheTextWhereverTokensEnd) {
  GenerationConfig config;
  config.temperature = 0;
  config.max_new_tokens = 30;
  const GenerationResult whole = engine().generate(kPrompt, config).samples.front();
  config.logprobs = true;
  for (std::size_t at = 0; at + 4 < whole.text.size(); at += 19) {
    const std::string stop = whole.text.substr(at, 4);
    config.stop = {stop, "never in this text"};
    std::string streamed;
    const GenerationResult cut =
        engine()
            .generate(kPrompt, config, [&](int32_t, std::string_view piece) { streamed += piece; })
            .samples.front();
    EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop))) << stop;
    EXPECT_EQ(streamed, cut.text);
    EXPECT_EQ(cut.finish_reason, FinishReason::kStopString);
    EXPECT_LE(engine().tokenizer().decode(cut.token_ids).size(), cut.text.size());
    EXPECT_EQ(cut.logprobs.size(), cut.token_ids.size());
  }
}

TEST(BooksEngine, ResultsDoNotDependOnThreadsNorOnOtherCalls) {
  ArrowEngine single(kModel, EngineConfig{.num_threads = 1, .compute = ComputeType::kF32});
  GenerationConfig generation;
  generation.max_new_tokens = 20;
  DiffusionConfig diffusion;
  diffusion.max_new_tokens = 20;
  diffusion.temperature = 0.8F;
  diffusion.num_samples = 2;
  ScoreConfig score;
  score.mode = ScoreMode::kDiffusion;
  score.num_draws = 2;
  const std::vector<std::string> documents = {excerpt().substr(0, 300)};
  const auto all = [&](ArrowEngine& one) {
    std::vector<std::string> texts = {one.generate(kPrompt, generation).samples[0].text};
    for (const DiffusionResult& sample : one.diffuse(kPrompt, diffusion).samples) {
      texts.push_back(sample.text);
    }
    for (const double value : one.score(documents, score).window_nats) {
      texts.push_back(std::to_string(std::bit_cast<uint64_t>(value)));
    }
    return texts;
  };
  const std::vector<std::string> expected = all(single);
  std::vector<std::string> other;
  std::thread beside([&] { other = all(engine()); });
  EXPECT_THAT(all(engine()), ElementsAreArray(expected));
  beside.join();
  EXPECT_THAT(other, ElementsAreArray(expected));
}

TEST(BooksEngine, DiffusionRevealsStepByStep) {
  DiffusionConfig config;
  config.max_new_tokens = 12;
  config.num_steps = 4;
  config.logprobs = true;
  std::vector<std::ptrdiff_t> masks;
  std::vector<int32_t> before;
  const DiffusionResults results = engine().diffuse(kPrompt, config, [&](const StepView& view) {
    masks.push_back(std::count(view.masked.begin(), view.masked.end(), uint8_t{1}));
    EXPECT_EQ(view.num_steps, 4);
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_TRUE(before[i] == kMask || view.token_ids[i] == before[i]) << "a token changed";
    }
    before.assign(view.token_ids.begin(), view.token_ids.end());
  });
  EXPECT_THAT(masks, ElementsAre(12, 9, 6, 3, 0));
  const DiffusionResult& sample = results.samples.front();
  EXPECT_EQ(sample.num_steps, 4);
  EXPECT_EQ(results.num_forward_passes, 4);
  EXPECT_EQ(sample.token_ids.size(), 12U);
  EXPECT_EQ(sample.logprobs.size(), 12U);
  EXPECT_THAT(sample.logprobs, Each(testing::Lt(0)));
  EXPECT_THAT(sample.token_ids, Each(testing::Ge(3)));  // no special token
  EXPECT_EQ(sample.text, engine().tokenizer().decode(sample.token_ids));
  EXPECT_GT(results.tokens_per_second, 0);
}

TEST(BooksEngine, TheFirstRevealIsTheArgmaxOfTheShiftedRow) {
  DiffusionConfig config;
  config.max_new_tokens = 1;
  const int32_t revealed = engine().diffuse(kPrompt, config).samples[0].token_ids.at(0);
  std::vector<int32_t> ids = engine().tokenizer().encode(kPrompt).ids;
  ids.push_back(kMask);
  const LogitsResult logits = engine().logits(ids, AttentionMode::kFull);
  const auto row = row_of(logits, ids.size() - 2);  // row i predicts token i + 1
  EXPECT_EQ(revealed, std::distance(row.begin(), std::max_element(row.begin() + 3, row.end())));
}

TEST(BooksEngine, InfillGivesFixedTextBackByteForByte) {
  const std::vector<InfillSegment> segments = {
      InfillSegment::hole(2, 2), InfillSegment::given("  “naïve”\t[[ "), InfillSegment::hole(3, 3),
      InfillSegment::given("<|endoftext|> é\n"), InfillSegment::hole(1, 4)};
  const DiffusionResult sample = engine().infill(segments).samples.front();
  ASSERT_EQ(sample.holes.size(), 3U);
  EXPECT_EQ(sample.text, sample.holes[0] + "  “naïve”\t[[ " + sample.holes[1] +
                             "<|endoftext|> é\n" + sample.holes[2]);
  EXPECT_THAT(sample.token_ids, Not(Contains(kMask)));
}

TEST(BooksEngine, InfillRefusesWhatIsNoHole) {
  const auto filling = [](std::vector<InfillSegment> segments) {
    return [segments] { engine().infill(segments); };
  };
  EXPECT_THAT(filling({InfillSegment::given("a")}),
              ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(filling({}), ThrowsMessage<ConfigError>(HasSubstr("no hole")));
  EXPECT_THAT(filling({InfillSegment::hole(5, 3)}),
              ThrowsMessage<ConfigError>(HasSubstr("no range of lengths")));
  EXPECT_THAT(filling({InfillSegment::hole(0, 3)}),
              ThrowsMessage<ConfigError>(HasSubstr("no range of lengths")));
  EXPECT_THAT(filling({InfillSegment{"text", 1, 3}}),
              ThrowsMessage<ConfigError>(HasSubstr("no text of its own")));
  EXPECT_THAT(filling({InfillSegment::hole(200, 200), InfillSegment::hole(60, 60)}),
              ThrowsMessage<InferenceError>(HasSubstr("the model can hold 256")));
}

TEST(BooksEngine, EditRewritesChosenPositionsOnly) {
  const std::vector<int32_t> canvas = engine().tokenizer().encode(excerpt().substr(0, 200)).ids;
  const std::vector<int32_t> positions = {4, 5, 9};
  DiffusionConfig config;
  config.temperature = 1.5F;
  const DiffusionResult sample = engine().edit(canvas, positions, config).samples.front();
  ASSERT_EQ(sample.token_ids.size(), canvas.size());
  std::vector<int32_t> changed;
  for (std::size_t i = 0; i < canvas.size(); ++i) {
    if (sample.token_ids[i] != canvas[i]) changed.push_back(static_cast<int32_t>(i));
  }
  EXPECT_THAT(changed, IsSubsetOf(positions));
  EXPECT_EQ(sample.num_steps, 3);
  EXPECT_THAT([&] { engine().edit(canvas, std::vector<int32_t>{-1}); },
              ThrowsMessage<ConfigError>(HasSubstr("-1 is outside the canvas")));
  EXPECT_THAT([&] { engine().edit(canvas, {}); },
              ThrowsMessage<ConfigError>(HasSubstr("at least one")));
}

/// Sum over the network's own rows: row i predicts token i + 1.
TEST(BooksEngine, ScoreIsTheSumOverTheLogits) {
  const std::vector<std::string> documents = {excerpt().substr(0, 700), "A short one."};
  ScoreConfig config;
  config.window = 64;
  const ScoreResult score = engine().score(documents, config);
  std::vector<double> expected;
  for (const std::string& document : documents) {
    const auto ids = engine().tokenizer().encode(document, {.add_special_tokens = false}).ids;
    for (std::size_t at = 0; at < ids.size(); at += 63) {
      std::vector<int32_t> window = {0};
      window.insert(window.end(), ids.begin() + static_cast<std::ptrdiff_t>(at),
                    ids.begin() + static_cast<std::ptrdiff_t>(std::min(at + 63, ids.size())));
      const LogitsResult logits = engine().logits(window, AttentionMode::kCausal);
      double sum = 0;
      for (std::size_t i = 0; i + 1 < window.size(); ++i) {
        sum += nats(row_of(logits, i), window[i + 1]);
      }
      expected.push_back(sum);
    }
  }
  ASSERT_EQ(score.window_nats.size(), expected.size());
  double total = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(score.window_nats[i], expected[i], 1e-5 * expected[i]);
    total += expected[i];
  }
  EXPECT_NEAR(score.nats_per_token, total / static_cast<double>(score.num_tokens), 1e-4);
  EXPECT_NEAR(score.perplexity, std::exp(score.nats_per_token), 1e-9);
  EXPECT_EQ(score.num_bytes, 700 + 12);
  EXPECT_NEAR(score.bits_per_byte, score.nats_per_byte / std::log(2.0), 1e-12);
  EXPECT_EQ(score.standard_error, 0);
}

/// ln p(prefix, text) = ln p(prefix) + ln p(text | prefix).
TEST(BooksEngine, ScoresOfAPrefixAndOfWhatContinuesItAddUp) {
  const std::string prefix = "It was a dark night,";
  const std::string text = " and the rain fell upon the roof.";
  const auto nats_of = [](const std::string& document, const ScoreConfig& config) {
    return engine().score(std::vector<std::string>{document}, config).window_nats.front();
  };
  ScoreConfig after_prefix;
  after_prefix.prefix = {prefix};
  EXPECT_NEAR(nats_of(prefix + text, {}), nats_of(prefix, {}) + nats_of(text, after_prefix), 1e-4);
}

/// Of one token that is always masked the bound is exact: the row before it, in full attention.
TEST(BooksEngine, BoundOfATokenAfterAPrefixIsItsNatsBehindTheWholePrefix) {
  const std::string prefix = "It was a dark night,";
  const std::string text = " and";
  std::vector<int32_t> canvas = {0};
  const auto ids = engine().tokenizer().encode(prefix, {.add_special_tokens = false}).ids;
  canvas.insert(canvas.end(), ids.begin(), ids.end());
  canvas.push_back(kMask);
  const auto target = engine().tokenizer().encode(text, {.add_special_tokens = false}).ids;
  ASSERT_EQ(target.size(), 1U);
  const LogitsResult logits = engine().logits(canvas, AttentionMode::kFull);
  ScoreConfig config;
  config.mode = ScoreMode::kDiffusion;
  config.exact_count = true;
  config.num_draws = 1;
  config.prefix = {prefix};
  const ScoreResult score = engine().score(std::vector<std::string>{text}, config);
  EXPECT_NEAR(score.window_nats.front(), nats(row_of(logits, canvas.size() - 2), target.front()),
              1e-5);
  EXPECT_EQ(score.num_tokens, 1);
  EXPECT_EQ(score.num_bytes, 4);
}

/// Two unbiased estimators of one number.
TEST(BooksEngine, BothEstimatorsOfTheBoundAgree) {
  const std::vector<std::string> documents = {excerpt().substr(0, 300)};
  ScoreConfig config;
  config.mode = ScoreMode::kDiffusion;
  config.window = 32;
  config.num_draws = 64;
  const ScoreResult nelbo = engine().score(documents, config);
  config.exact_count = true;
  const ScoreResult exact_count = engine().score(documents, config);
  EXPECT_EQ(nelbo.num_tokens, exact_count.num_tokens);
  const double error = std::hypot(nelbo.standard_error, exact_count.standard_error);
  EXPECT_GT(error, 0);
  EXPECT_NEAR(nelbo.nats_per_token, exact_count.nats_per_token, 4 * error);
}

TEST(BooksEngine, ProgressEndsAtTheEnd) {
  ScoreConfig config;
  config.window = 64;
  int64_t last = 0;
  config.progress = [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_LE(done, total);
    last = done;
  };
  EXPECT_EQ(engine().score(std::vector<std::string>{excerpt()}, config).num_windows, last);
}

TEST(BooksEngine, CancelledCallsGiveNothing) {
  GenerationConfig generation;
  generation.cancellation.cancel();
  EXPECT_THROW(engine().generate(kPrompt, generation), CancelledError);
  DiffusionConfig diffusion;
  EXPECT_THROW(engine().diffuse(kPrompt, diffusion,
                                [&](const StepView& view) {
                                  if (view.step == 2) diffusion.cancellation.cancel();
                                }),
               CancelledError);
  ScoreConfig score;
  score.cancellation.cancel();
  EXPECT_THROW(engine().score(std::vector<std::string>{"text"}, score), CancelledError);
}

TEST(BooksEngine, RefusesWhatDoesNotFitTheContext) {
  GenerationConfig generation;
  generation.max_new_tokens = 256;
  EXPECT_THAT([&] { engine().generate("a", generation); },
              ThrowsMessage<InferenceError>(HasSubstr("do not fit the model's context of 256")));
  DiffusionConfig diffusion;
  diffusion.max_new_tokens = 256;
  EXPECT_THAT([&] { engine().diffuse("a", diffusion); },
              ThrowsMessage<InferenceError>(HasSubstr("does not fit the model's context of 256")));
  ScoreConfig score;
  score.window = 257;
  EXPECT_THAT([&] { engine().score(std::vector<std::string>{"a"}, score); },
              ThrowsMessage<ConfigError>(HasSubstr("more than the model's 256")));
  EXPECT_THAT([&] { engine().score(std::vector<std::string>{""}); },
              ThrowsMessage<InferenceError>(HasSubstr("nothing to score")));
}

TEST(BooksEngine, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(engine().generate("caf\xe9"), TokenizerError);
  EXPECT_THROW(engine().diffuse("caf\xe9"), TokenizerError);
  EXPECT_THROW(engine().score(std::vector<std::string>{"caf\xe9"}), TokenizerError);
}

}  // namespace
}  // namespace aios
