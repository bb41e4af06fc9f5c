// Prompts that stand before a canvas and change while it clears, on books-6m.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"

namespace aios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using testing::ThrowsMessage;

const std::string kModel = std::string(AIOS_SOURCE_DIR) + "/models/books-6m";
const std::string kPrompt = "It was a dark and stormy night, and";
const std::string kOther = "The ship lay in the harbour. It was a dark and stormy night, and";

ArrowEngine& engine() {
  static ArrowEngine shared(kModel, EngineConfig{.num_threads = 2, .compute = ComputeType::kF32});
  return shared;
}

DiffusionConfig short_canvas(int32_t num_steps) {
  DiffusionConfig config;
  config.max_new_tokens = 8;
  config.num_steps = num_steps;
  config.logprobs = true;
  return config;
}

/// A prompt that is `texts[i]` after the i-th refresh, and the last of them from then on.
class Changing {
 public:
  Changing(std::string first, int32_t refresh_steps, std::vector<std::string> texts)
      : texts_(std::move(texts)) {
    prompt.text = std::move(first);
    prompt.refresh_steps = refresh_steps;
    prompt.refresh = [this](const std::string& revealed) {
      heard.push_back(revealed);
      return texts_[std::min(heard.size(), texts_.size()) - 1];
    };
  }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

  DiffusionPrompt prompt;
  std::vector<std::string> heard;

 private:
  std::vector<std::string> texts_;
};

void expect_same(const DiffusionResults& a, const DiffusionResults& b) {
  ASSERT_EQ(a.samples.size(), b.samples.size());
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    EXPECT_EQ(a.samples[i].text, b.samples[i].text);
    EXPECT_EQ(a.samples[i].token_ids, b.samples[i].token_ids);
    EXPECT_EQ(a.samples[i].logprobs, b.samples[i].logprobs);
  }
}

TEST(DiffusionPrompt, OneThatStaysIsAsAText) {
  const DiffusionConfig config = short_canvas(4);
  Changing never(kPrompt, 0, {kOther});
  expect_same(engine().diffuse(never.prompt, config), engine().diffuse(kPrompt, config));
  EXPECT_THAT(never.heard, SizeIs(0));
}

TEST(DiffusionPrompt, ChangeToTheSameTextChangesNothing) {
  DiffusionConfig config = short_canvas(8);
  config.cfg_scale = 0.5F;
  config.num_samples = 2;
  config.temperature = 0.7F;
  Changing same(kPrompt, 3, {kPrompt});
  expect_same(engine().diffuse(same.prompt, config), engine().diffuse(kPrompt, config));
  EXPECT_THAT(same.heard, SizeIs(4));  // of two canvases, after steps 3 and 6 of 8
}

/// The second of two steps is the only step of a canvas that is rebuilt behind the new prompt.
TEST(DiffusionPrompt, TheNextStepStandsBehindTheNewOne) {
  const DiffusionConfig config = short_canvas(2);
  std::vector<int32_t> shown;
  std::vector<uint8_t> masked;
  Changing changing(kPrompt, 1, {kOther});
  const DiffusionResults results =
      engine().diffuse(changing.prompt, config, [&](const StepView& view) {
        if (view.step != 1) return;
        shown.assign(view.token_ids.begin(), view.token_ids.end());
        masked.assign(view.masked.begin(), view.masked.end());
      });
  const auto ids_of = [](const std::string& text) {
    return engine().tokenizer().encode(text, {.add_special_tokens = false}).ids;
  };
  const std::size_t front = 1 + ids_of(kPrompt).size();
  std::vector<int32_t> canvas = {0};
  for (const int32_t id : ids_of(kOther)) canvas.push_back(id);
  const std::size_t new_front = canvas.size();
  ASSERT_NE(front, new_front);
  std::vector<int32_t> positions;
  std::vector<int32_t> revealed;
  for (std::size_t i = front; i < shown.size(); ++i) {
    if (masked[i] != 0) positions.push_back(static_cast<int32_t>(canvas.size()));
    if (masked[i] == 0) revealed.push_back(shown[i]);
    canvas.push_back(shown[i]);
  }
  ASSERT_EQ(positions.size(), 4U);
  EXPECT_THAT(changing.heard, ElementsAre(engine().tokenizer().decode(revealed)));
  DiffusionConfig one_step = short_canvas(1);
  const DiffusionResult rebuilt = engine().edit(canvas, positions, one_step).samples.front();
  const std::vector<int32_t> written(
      rebuilt.token_ids.begin() + static_cast<std::ptrdiff_t>(new_front), rebuilt.token_ids.end());
  EXPECT_EQ(results.samples.front().token_ids, written);
}

TEST(DiffusionPrompt, ThreadsAndCachesGiveTheSameBits) {
  ArrowEngine alone(kModel, EngineConfig{.num_threads = 1, .compute = ComputeType::kF32});
  for (const CacheMode cache : {CacheMode::kNone, CacheMode::kPrefix, CacheMode::kDual}) {
    DiffusionConfig config = short_canvas(6);
    config.kv_cache = cache;
    config.num_samples = 2;
    config.temperature = 0.8F;
    config.cfg_scale = cache == CacheMode::kNone ? 0.5F : 0.0F;
    Changing here(kPrompt, 2, {kOther, "So."});
    Changing there(kPrompt, 2, {kOther, "So."});
    expect_same(engine().diffuse(here.prompt, config), alone.diffuse(there.prompt, config));
    EXPECT_EQ(here.heard, there.heard);
  }
}

/// What is kept is exact where the whole canvas is computed at every step, also behind new prompts.
TEST(DiffusionPrompt, CacheThatIsRefreshedAlwaysIsNoCache) {
  DiffusionConfig config = short_canvas(6);
  Changing plain(kPrompt, 2, {kOther, "So."});
  const DiffusionResults expected = engine().diffuse(plain.prompt, config);
  config.kv_cache = CacheMode::kDual;
  config.cache_refresh_steps = 1;
  Changing cached(kPrompt, 2, {kOther, "So."});
  expect_same(engine().diffuse(cached.prompt, config), expected);
}

TEST(DiffusionPrompt, OneBeyondTheContextIsPassedOver) {
  const DiffusionConfig config = short_canvas(4);
  std::string endless;
  for (int i = 0; i < 300; ++i) endless += "word ";
  Changing changing(kPrompt, 1, {endless});
  expect_same(engine().diffuse(changing.prompt, config), engine().diffuse(kPrompt, config));
  EXPECT_THAT(changing.heard, SizeIs(3));
}

TEST(DiffusionPrompt, OfAnInfillIsInNoResult) {
  const std::vector<InfillSegment> segments = {
      InfillSegment::given("It was a"), InfillSegment::hole(3, 3), InfillSegment::given(" day.")};
  DiffusionConfig config;
  config.logprobs = true;
  const DiffusionResult plain = engine().infill(segments, config).samples.front();
  Changing changing("The sun shone.\n", 1, {"Rain fell.\n"});
  const DiffusionResult behind =
      engine().infill(segments, config, {}, changing.prompt).samples.front();
  ASSERT_EQ(behind.token_ids.size(), plain.token_ids.size());
  EXPECT_EQ(behind.logprobs.size(), plain.logprobs.size());
  EXPECT_GT(behind.num_prompt_tokens, plain.num_prompt_tokens);
  EXPECT_EQ(engine().tokenizer().decode(behind.token_ids), behind.text);
  EXPECT_THAT(behind.text, StartsWith("It was a"));
  EXPECT_THAT(behind.holes, SizeIs(1));
  for (std::size_t i = 0; i < plain.token_ids.size(); ++i) {
    EXPECT_EQ(behind.logprobs[i] == 0, plain.logprobs[i] == 0) << i;
  }
  ASSERT_THAT(changing.heard, SizeIs(2));
  EXPECT_THAT(changing.heard.front(), StartsWith("It was a"));
}

TEST(DiffusionPrompt, ChangesThatCannotBeAreRefused) {
  DiffusionPrompt prompt;
  prompt.refresh_steps = -1;
  EXPECT_THAT([&] { engine().diffuse(prompt); },
              ThrowsMessage<ConfigError>(HasSubstr("refresh_steps must be at least 0")));
  prompt.refresh_steps = 2;
  EXPECT_THAT([&] { engine().diffuse(prompt); },
              ThrowsMessage<ConfigError>(HasSubstr("there is no `refresh`")));
}

}  // namespace
}  // namespace aios
