#include "engine/front_denoiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aios {
namespace {

using testing::ElementsAre;

/// Remembers what it was asked.
class AskedDenoiser final : public Denoiser {
 public:
  struct Question {
    std::vector<int32_t> window;
    std::vector<int32_t> positions;
    CacheAction cache_action;
    CanvasRange active;
  };
  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest&, HeadResult&) override {
    questions.clear();
    for (const DenoiseInput& input : inputs) {
      questions.push_back({{input.window.begin(), input.window.end()},
                           {input.positions.begin(), input.positions.end()},
                           input.cache_action,
                           input.active});
    }
  }
  [[nodiscard]] int64_t vocab_size() const noexcept override { return 10; }
  std::vector<Question> questions;
};

TEST(FrontDenoiser, PutsTheNewFrontBeforeItsCanvasOnly) {
  AskedDenoiser asked;
  FrontDenoiser denoiser(asked);
  EXPECT_EQ(denoiser.vocab_size(), 10);
  denoiser.exchange(1, 2, {7, 8, 9});
  const std::vector<int32_t> window = {1, 2, 3, 4};
  const std::vector<int32_t> positions = {2, 3};
  const DenoiseInput inputs[] = {{.canvas = 0, .window = window, .positions = positions},
                                 {.canvas = 1, .window = window, .positions = positions}};
  HeadResult result;
  denoiser.denoise(inputs, {}, result);
  ASSERT_EQ(asked.questions.size(), 2U);
  EXPECT_EQ(asked.questions[0].window, window);
  EXPECT_EQ(asked.questions[0].positions, positions);
  EXPECT_THAT(asked.questions[1].window, ElementsAre(7, 8, 9, 3, 4));
  EXPECT_THAT(asked.questions[1].positions, ElementsAre(3, 4));
  denoiser.exchange(1, 2, {});
  denoiser.denoise(inputs, {}, result);
  EXPECT_THAT(asked.questions[1].window, ElementsAre(3, 4));
  EXPECT_THAT(asked.questions[1].positions, ElementsAre(0, 1));
}

TEST(FrontDenoiser, NothingKeptOutlivesTheFront) {
  AskedDenoiser asked;
  FrontDenoiser denoiser(asked);
  const std::vector<int32_t> window = {1, 2, 3, 4};
  const std::vector<int32_t> positions = {3};
  const DenoiseInput input = {.canvas = 0,
                              .window = window,
                              .positions = positions,
                              .cache_action = CacheAction::kReuse,
                              .active = {2, 4}};
  HeadResult result;
  const auto asked_action = [&] {
    denoiser.denoise(std::span(&input, 1), {}, result);
    return asked.questions.front().cache_action;
  };
  EXPECT_EQ(asked_action(), CacheAction::kReuse);
  denoiser.exchange(0, 1, {5, 6, 7});
  EXPECT_EQ(asked_action(), CacheAction::kRefresh);
  EXPECT_EQ(asked_action(), CacheAction::kReuse);
  EXPECT_EQ(asked.questions.front().active.begin, 4);
  EXPECT_EQ(asked.questions.front().active.end, 6);
}

}  // namespace
}  // namespace aios
