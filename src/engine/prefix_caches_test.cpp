#include "engine/prefix_caches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "aios/engine.h"
#include "aios/error.h"
#include "engine/loaded_model.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kRoot = AIOS_SOURCE_DIR;

class PrefixCachesTest : public testing::Test {
 protected:
  /// What is not known of a prompt is computed, and all of it kept. @returns the tokens known
  std::vector<int32_t> read(PrefixCaches& caches, const std::vector<int32_t>& prompt) {
    CachedText text = caches.take(core(), prompt, std::ssize(prompt) + 4);
    const std::vector<int32_t> known = text.token_ids;
    EXPECT_EQ(text.cache->length(), std::ssize(known));
    EXPECT_GE(text.cache->capacity(), std::ssize(prompt) + 4);
    const std::span<const int32_t> rest = std::span(prompt).subspan(known.size());
    const SequenceInput sequence{rest, text.cache.get()};
    const auto states = core().hidden_states(std::span(&sequence, 1), AttentionKind::kCausal);
    const SequenceInput whole{prompt, nullptr};
    const auto expected = core().hidden_states(std::span(&whole, 1), AttentionKind::kCausal);
    EXPECT_TRUE(std::equal(states.rbegin(), states.rend(), expected.rbegin()));
    text.token_ids = prompt;
    caches.keep(std::move(text));
    return known;
  }
  const InferenceCore& core() const { return model_.core(); }

 private:
  const LoadedModel model_{kRoot + "/tests/parity/fixtures/llama3_scaling", EngineConfig{}};
};

TEST_F(PrefixCachesTest, TheLastTokenIsAlwaysLeft) {
  PrefixCaches caches(1);
  EXPECT_THAT(read(caches, {1, 2, 3}), IsEmpty());
  EXPECT_THAT(read(caches, {1, 2, 3}), ElementsAre(1, 2));
  EXPECT_THAT(read(caches, {1, 2, 3, 4, 5}), ElementsAre(1, 2, 3));
  EXPECT_THAT(read(caches, {1, 2, 9}), ElementsAre(1, 2));
  EXPECT_THAT(read(caches, {1, 2, 3, 4}), ElementsAre(1, 2));
  EXPECT_THAT(read(caches, {7}), IsEmpty());
  EXPECT_THAT(caches.take(core(), {}, 4).token_ids, IsEmpty());
}

TEST_F(PrefixCachesTest, ATextThatOnlySharesItsBeginningIsNotCutWhileThereIsRoom) {
  PrefixCaches caches(2);
  EXPECT_THAT(read(caches, {1, 2, 3, 4}), IsEmpty());
  EXPECT_THAT(read(caches, {1, 2, 8, 9}), ElementsAre(1, 2));
  EXPECT_THAT(read(caches, {1, 2, 3, 4, 5}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(read(caches, {1, 2, 8, 9, 7}), ElementsAre(1, 2, 8, 9));
  EXPECT_THAT(read(caches, {50, 51}), IsEmpty());  // the oldest gives way
  EXPECT_THAT(read(caches, {1, 2, 3, 4, 5}), ElementsAre(1, 2));
}

TEST_F(PrefixCachesTest, NoneAreKeptIfNoneMayBe) {
  PrefixCaches caches(0);
  EXPECT_THAT(read(caches, {1, 2, 3}), IsEmpty());
  EXPECT_THAT(read(caches, {1, 2, 3}), IsEmpty());
}

TEST_F(PrefixCachesTest, ACacheIsCopiedWithinItsBounds) {
  const auto cache = core().make_cache(4);
  EXPECT_THROW((void)core().copy_cache(*cache, 1, 4), InferenceError);
  EXPECT_THROW((void)core().copy_cache(*cache, -1, 4), InferenceError);
  EXPECT_EQ(core().copy_cache(*cache, 0, 2)->capacity(), 2);
}

GenerationConfig some_words() {
  GenerationConfig config;
  config.max_new_tokens = 12;
  config.logprobs = true;
  return config;
}

void expect_same(const GenerationResults& actual, const GenerationResults& expected) {
  ASSERT_EQ(actual.samples.size(), expected.samples.size());
  for (std::size_t i = 0; i < actual.samples.size(); ++i) {
    EXPECT_EQ(actual.samples[i].text, expected.samples[i].text);
    EXPECT_EQ(actual.samples[i].logprobs, expected.samples[i].logprobs);
  }
}

TEST(Generate, WritesTheSameWhateverIsKept) {
  ArrowEngine keeps(kRoot + "/models/books-6m");
  ArrowEngine forgets(kRoot + "/models/books-6m", {.num_prefix_caches = 0});
  GenerationConfig config = some_words();
  std::string prompt = "It was a dark and stormy night";
  for (int32_t turn = 0; turn < 4; ++turn) {
    config.num_samples = turn == 2 ? 3 : 1;
    const GenerationResults results = keeps.generate(prompt, config);
    const GenerationResults expected = forgets.generate(prompt, config);
    expect_same(results, expected);
    EXPECT_EQ(expected.num_cached_tokens, 0);
    EXPECT_EQ(results.num_cached_tokens > 0, turn > 0);
    EXPECT_LT(results.num_cached_tokens, results.samples.front().num_prompt_tokens);
    prompt += results.samples.back().text + " and then";
  }
}

TEST(Generate, ACallThatEndsEarlyLeavesNothingWrong) {
  ArrowEngine keeps(kRoot + "/models/books-6m");
  ArrowEngine forgets(kRoot + "/models/books-6m", {.num_prefix_caches = 0});
  const std::string prompt = "The captain looked at the sea";
  GenerationConfig cancelled = some_words();
  const CancellationToken token;
  cancelled.cancellation = token;
  EXPECT_THROW(
      (void)keeps.generate(prompt, cancelled, [&](int32_t, std::string_view) { token.cancel(); }),
      CancelledError);
  const GenerationResults results = keeps.generate(prompt, some_words());
  EXPECT_EQ(results.num_cached_tokens, results.samples.front().num_prompt_tokens - 1);
  expect_same(results, forgets.generate(prompt, some_words()));
}

TEST(Generate, CallsFromSeveralThreadsDoNotMeetInACache) {
  ArrowEngine engine(kRoot + "/models/books-6m", {.num_prefix_caches = 2});
  const std::vector<std::string> prompts = {"It was a dark", "It was a bright", "The sea"};
  std::vector<GenerationResults> expected;
  for (const std::string& prompt : prompts) {
    expected.push_back(engine.generate(prompt, some_words()));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 3; ++repeat) {
        expect_same(engine.generate(prompts[i], some_words()), expected[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace aios
