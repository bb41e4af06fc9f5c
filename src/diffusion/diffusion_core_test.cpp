#include "diffusion/diffusion_core.h"

#include <cmath>

#include "aios/error.h"
#include "diffusion/testing/exact_denoiser.h"
#include "diffusion/testing/formula_denoiser.h"
#include "diffusion/testing/table_denoiser.h"

namespace aios {
namespace {

using test::ExactDenoiser;
using test::FormulaDenoiser;
using test::TableDenoiser;
using Ids = std::vector<int32_t>;

const PhiloxUniformSource kNoise(7);

Canvas prompt_and_hole(const Ids& prompt, int32_t hole, bool text_may_end = false) {
  Canvas canvas;
  canvas.append_given(prompt);
  canvas.append_hole(hole, text_may_end);
  canvas.block_origin = static_cast<int32_t>(prompt.size());
  return canvas;
}

/// Tokens 0 ... 4 and the mask 5; `favourites[i]` is the likeliest token of position i, by the more
/// the later the position, so that positions are revealed from the right.
TableDenoiser favouring(const Ids& favourites) {
  std::vector<std::vector<double>> logits;
  for (const int32_t favourite : favourites) {
    std::vector<double> row(6, 0.0);
    row[static_cast<std::size_t>(favourite)] = 2.0 + static_cast<double>(logits.size());
    row[static_cast<std::size_t>((favourite + 1) % 5)] = 1.0;
    row[5] = 50;  // the mask itself, much likelier than anything
    logits.push_back(row);
  }
  return TableDenoiser(logits);
}

constexpr int32_t kMask = 5;

TEST(DiffusionCore, GivenTokensComeBackEvenWhereTheyAreTheMask) {
  TableDenoiser denoiser = favouring({0, 1, 2, 3});
  Canvas canvas;
  canvas.append_given(Ids{kMask, 4});
  canvas.append_hole(1, false);
  canvas.append_given(Ids{0});
  DiffusionCore core(denoiser, {kMask, {}, {}});
  const FilledCanvases filled = core.fill({canvas}, {}, false, kNoise);
  EXPECT_EQ(filled.canvases[0].token_ids, (Ids{kMask, 4, 2, 0}));
  EXPECT_EQ(filled.canvases[0].num_steps, 1);
  EXPECT_EQ(filled.num_forward_passes, 1);
  EXPECT_FALSE(filled.canvases[0].end_position.has_value());
}

TEST(DiffusionCore, LogProbabilitiesAreThoseWhenRevealed) {
  TableDenoiser denoiser = favouring({0, 1});
  DiffusionCore core(denoiser, {kMask, {}, {}});
  const auto filled = core.fill({prompt_and_hole({3}, 1)}, {}, false, kNoise).canvases[0];
  EXPECT_EQ(filled.logprobs[0], 0);
  EXPECT_NEAR(filled.logprobs[1], std::log(denoiser.softmax(1, 1)[1]), 1e-6);
}

TEST(DiffusionCore, SuppressedTokensAreNeverWritten) {
  for (const float cfg_scale : {0.0F, 1.0F}) {
    TableDenoiser denoiser = favouring({0, 1, 2, 3});
    DiffusionConfig config;
    config.cfg_scale = cfg_scale;
    DiffusionCore core(denoiser, {kMask, {3, 1}, {}});
    EXPECT_EQ(core.fill({prompt_and_hole({}, 4)}, config, false, kNoise).canvases[0].token_ids,
              (Ids{0, 2, 2, 4}));  // next best, where the favourite is ruled out
  }
}

TEST(DiffusionCore, EndOfTextStandsOnlyWhereTheTextMayEnd) {
  const Ids favourites = {4, 4, 4, 4};
  TableDenoiser denoiser = favouring(favourites);
  DiffusionConfig config;
  config.stop_at_end_of_text = false;
  DiffusionCore core(denoiser, {kMask, {}, {4}});
  EXPECT_EQ(core.fill({prompt_and_hole({}, 4, false)}, config, false, kNoise).canvases[0].token_ids,
            (Ids{0, 0, 0, 0}));
  EXPECT_EQ(core.fill({prompt_and_hole({}, 4, true)}, config, false, kNoise).canvases[0].token_ids,
            favourites);
  Canvas mixed = prompt_and_hole({}, 2, false);
  mixed.append_hole(2, true);
  EXPECT_EQ(core.fill({mixed}, config, false, kNoise).canvases[0].token_ids, (Ids{0, 0, 4, 4}));
}

// From the right: 4 at the end is no reason to stop until everything left of it stands.
TEST(DiffusionCore, StopsAtEndOfTextOnceAllBeforeItIsRevealed) {
  TableDenoiser denoiser = favouring({0, 1, 4, 3, 2, 1});
  DiffusionCore core(denoiser, {kMask, {}, {4}});
  DiffusionConfig config;
  config.remasking = Remasking::kSequential;
  const auto filled = core.fill({prompt_and_hole({}, 6, true)}, config, false, kNoise).canvases[0];
  EXPECT_EQ(filled.end_position, 2);
  EXPECT_EQ(filled.num_steps, 3);
  EXPECT_EQ(filled.token_ids, (Ids{0, 1, 4, kMask, kMask, kMask}));
  EXPECT_EQ(filled.masked, (std::vector<uint8_t>{0, 0, 0, 1, 1, 1}));

  config.remasking = Remasking::kLowConfidence;  // rightmost first
  const auto backwards =
      core.fill({prompt_and_hole({}, 6, true)}, config, false, kNoise).canvases[0];
  EXPECT_EQ(backwards.end_position, 2);
  EXPECT_EQ(backwards.num_steps, 6);
}

TEST(DiffusionCore, AnEndOfTextThatWasGivenEndsNothing) {
  TableDenoiser denoiser = favouring({0, 1, 2, 3});
  DiffusionCore core(denoiser, {kMask, {}, {4}});
  const auto filled = core.fill({prompt_and_hole({4, 4}, 2, true)}, {}, false, kNoise).canvases[0];
  EXPECT_EQ(filled.token_ids, (Ids{4, 4, 2, 3}));
  EXPECT_FALSE(filled.end_position.has_value());
}

TEST(DiffusionCore, CallbackSeesEveryStep) {
  TableDenoiser denoiser = favouring({0, 1, 2, 3});
  DiffusionCore core(denoiser, {kMask, {}, {}});
  std::vector<Ids> seen;
  DiffusionConfig config;
  config.num_steps = 2;
  core.fill({prompt_and_hole({}, 4)}, config, false, kNoise, [&](const StepView& view) {
    EXPECT_EQ(view.step, static_cast<int32_t>(seen.size()));
    EXPECT_EQ(view.num_steps, 2);
    for (std::size_t i = 0; i < view.masked.size(); ++i) {
      EXPECT_EQ(view.masked[i] != 0, view.token_ids[i] == kMask);
    }
    seen.emplace_back(view.token_ids.begin(), view.token_ids.end());
  });
  EXPECT_EQ(seen,
            (std::vector<Ids>{{kMask, kMask, kMask, kMask}, {kMask, kMask, 2, 3}, {0, 1, 2, 3}}));
}

// What a canvas becomes hangs on its index, not on its neighbours.
TEST(DiffusionCore, CanvasesDoNotDisturbOneAnother) {
  DiffusionConfig config;
  config.temperature = 1;
  for (const Remasking remasking :
       {Remasking::kRandom, Remasking::kOrigin, Remasking::kDdpmCache, Remasking::kEntropyBound}) {
    config.remasking = remasking;
    FormulaDenoiser denoiser({});
    DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
    const Canvas first = prompt_and_hole({1, 2, 3}, 9);
    const Canvas last = prompt_and_hole({30}, 5);
    const auto one = core.fill({first, prompt_and_hole({7}, 4), last}, config, false, kNoise);
    const auto other = core.fill({first, prompt_and_hole({8, 9}, 20), last}, config, false, kNoise);
    EXPECT_EQ(one.canvases[0].token_ids, other.canvases[0].token_ids);
    EXPECT_EQ(one.canvases[2].token_ids, other.canvases[2].token_ids);
  }
}

TEST(DiffusionCore, CanvasesHaveTheirOwnRandomStreams) {
  FormulaDenoiser denoiser({});
  DiffusionConfig config;
  config.temperature = 1;
  DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
  const Canvas canvas = prompt_and_hole({1, 2, 3}, 9);
  const auto filled = core.fill({canvas, canvas}, config, false, kNoise).canvases;
  EXPECT_NE(filled[0].token_ids, filled[1].token_ids);
  const auto again = core.fill({canvas, canvas}, config, false, kNoise).canvases;
  EXPECT_EQ(filled[1].token_ids, again[1].token_ids);
  const auto reseeded = core.fill({canvas}, config, false, PhiloxUniformSource(8)).canvases;
  EXPECT_NE(filled[0].token_ids, reseeded[0].token_ids);
}

// Temperature 0 is greedy: no random number is looked at.
TEST(DiffusionCore, TemperatureZeroIgnoresTheSeed) {
  for (const Remasking remasking :
       {Remasking::kLowConfidence, Remasking::kMaskgitPlus, Remasking::kEntropy,
        Remasking::kConfidenceThreshold, Remasking::kFactor, Remasking::kLowConfidenceDynamic,
        Remasking::kSequential, Remasking::kEditing, Remasking::kEntropyBound}) {
    FormulaDenoiser denoiser({});
    DiffusionConfig config;
    config.remasking = remasking;
    DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
    const Canvas canvas = prompt_and_hole({1, 2, 3}, 9);
    EXPECT_EQ(core.fill({canvas}, config, false, PhiloxUniformSource(1)).canvases[0].token_ids,
              core.fill({canvas}, config, false, PhiloxUniformSource(2)).canvases[0].token_ids);
  }
}

TEST(DiffusionCore, NothingToFillNeedsNoNetwork) {
  TableDenoiser denoiser = favouring({0});
  DiffusionCore core(denoiser, {kMask, {}, {}});
  Canvas canvas;
  canvas.append_given(Ids{2});
  const auto filled = core.fill({canvas}, {}, false, kNoise);
  EXPECT_EQ(filled.canvases[0].token_ids, Ids{2});
  EXPECT_EQ(filled.num_forward_passes, 0);
  EXPECT_TRUE(core.fill({}, {}, false, kNoise).canvases.empty());
  EXPECT_EQ(denoiser.num_calls, 0);
}

// Guidance asks for twice the canvases: the second half with given tokens masked, under numbers of
// their own.
TEST(DiffusionCore, GuidanceMasksGivenTokensInItsOwnCanvases) {
  FormulaDenoiser denoiser({});
  DiffusionConfig config;
  config.cfg_scale = 0.5F;
  config.num_steps = 2;
  DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
  core.fill({prompt_and_hole({1, 2}, 2)}, config, false, kNoise);
  ASSERT_EQ(denoiser.calls.size(), 4U);
  const Ids& conditional = denoiser.calls[2].window;
  const Ids& unconditional = denoiser.calls[3].window;
  EXPECT_EQ(Ids(conditional.begin(), conditional.begin() + 2), (Ids{1, 2}));
  EXPECT_EQ(Ids(unconditional.begin(), unconditional.begin() + 2),
            (Ids{test::kMaskId, test::kMaskId}));
  EXPECT_EQ(Ids(conditional.begin() + 2, conditional.end()),
            Ids(unconditional.begin() + 2, unconditional.end()));
}

TEST(DiffusionCore, CausalBlocksStoreEveryFinishedBlock) {
  FormulaDenoiser denoiser({});
  DiffusionConfig config;
  config.block_length = 2;
  config.remasking = Remasking::kLowConfidenceStatic;
  Canvas canvas;
  canvas.append_hole(1, false);
  canvas.append_given(Ids{1, 2, 3});
  canvas.append_hole(1, false);
  DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
  const auto filled = core.fill({canvas}, config, true, kNoise);
  std::vector<std::pair<std::size_t, bool>> calls;
  for (const auto& call : denoiser.calls)
    calls.emplace_back(call.window.size(), call.action == CacheAction::kStore);
  EXPECT_EQ(calls, (std::vector<std::pair<std::size_t, bool>>{
                       {2, false}, {2, true}, {4, true}, {5, false}, {5, true}}));
  EXPECT_EQ(filled.num_forward_passes, 2);
}

TEST(DiffusionCore, GuidedCausalBlocksAreStoredForBothBranches) {
  FormulaDenoiser denoiser({});
  DiffusionConfig config;
  config.block_length = 2;
  config.cfg_scale = 1;
  config.remasking = Remasking::kSequential;
  DiffusionCore core(denoiser, {test::kMaskId, {}, {}});
  core.fill({prompt_and_hole({1, 2}, 2)}, config, true, kNoise);
  ASSERT_EQ(denoiser.calls.size(), 8U);  // prefix, two steps, end: twice each
  for (const std::size_t call : {0U, 6U}) {
    EXPECT_EQ(denoiser.calls[call].action, CacheAction::kStore);
    EXPECT_EQ(denoiser.calls[call + 1].action, CacheAction::kStore);
    EXPECT_EQ(denoiser.calls[call].window[0], 1);
    EXPECT_EQ(denoiser.calls[call + 1].window[0], test::kMaskId);
  }
}

TEST(DiffusionCore, CanBeCancelledBetweenSteps) {
  TableDenoiser denoiser = favouring({0, 1, 2, 3});
  DiffusionCore core(denoiser, {kMask, {}, {}});
  DiffusionConfig config;
  const auto cancel_at_two = [&](const StepView& view) {
    if (view.step == 2) config.cancellation.cancel();
  };
  EXPECT_THROW(core.fill({prompt_and_hole({}, 4)}, config, false, kNoise, cancel_at_two),
               CancelledError);
  EXPECT_EQ(denoiser.num_calls, 2);
}

/// The message of the error that `fill` throws.
template <typename ErrorType>
std::string error_of(Denoiser& denoiser, const Canvas& canvas, const DiffusionConfig& config = {},
                     const DiffusionTokens& tokens = {kMask, {}, {}}) {
  try {
    DiffusionCore(denoiser, tokens).fill({canvas}, config, false, kNoise);
  } catch (const ErrorType& error) {
    return error.what();
  }
  return "no error";
}

TEST(DiffusionCore, RefusesBadCanvases) {
  TableDenoiser denoiser = favouring({0, 1, 2, 3});
  const auto error = [&](const Canvas& canvas) {
    return error_of<InferenceError>(denoiser, canvas);
  };
  EXPECT_THAT(error({}), testing::HasSubstr("canvas 0 is empty"));
  EXPECT_THAT(error(prompt_and_hole({6}, 1)), testing::HasSubstr("token id 6 at position 0"));
  EXPECT_THAT(error(prompt_and_hole({2, -1}, 1)), testing::HasSubstr("token id -1 at position 1"));
  Canvas canvas = prompt_and_hole({1}, 2);
  canvas.block_origin = 3;
  EXPECT_THAT(error(canvas), testing::HasSubstr("blocks from position 3"));
  canvas = prompt_and_hole({1}, 2);
  canvas.masked.pop_back();
  EXPECT_THAT(error(canvas), testing::HasSubstr("2 mask flags"));
}

TEST(DiffusionCore, RefusesAVocabularyWithoutTheMask) {
  TableDenoiser denoiser = favouring({0});
  EXPECT_THAT(error_of<InferenceError>(denoiser, prompt_and_hole({}, 1), {}, {6, {}, {}}),
              testing::HasSubstr("mask token id 6"));
  EXPECT_THAT(error_of<InferenceError>(denoiser, prompt_and_hole({}, 1), {}, {-1, {}, {}}),
              testing::HasSubstr("cannot diffuse"));
}

TEST(DiffusionCore, RefusesScoresThatAreNotNumbers) {
  const double nan = std::nan("");
  TableDenoiser not_numbers({{0, 1, nan, 0}, {nan, nan, nan, nan}});
  DiffusionConfig rows;
  rows.top_p = 0.9F;
  for (const DiffusionConfig& config : {DiffusionConfig{}, rows}) {
    EXPECT_THAT(error_of<InferenceError>(not_numbers, prompt_and_hole({0}, 1), config, {3, {}, {}}),
                testing::HasSubstr("no token can be drawn for position 1 of canvas 0"));
  }
}

TEST(DiffusionCore, RefusesToSuppressEverything) {
  TableDenoiser denoiser = favouring({0, 1});
  DiffusionConfig rows;
  rows.top_k = 2;
  for (const DiffusionConfig& config : {DiffusionConfig{}, rows}) {
    EXPECT_THAT(error_of<InferenceError>(denoiser, prompt_and_hole({}, 2), config,
                                         {kMask, {0, 1, 2, 3, 4}, {}}),
                testing::HasSubstr("every token is suppressed"));
  }
}

/// Fast-dLLM: the whole canvas at a block's first step, then the block and what follows it, or the
/// block alone.
TEST(DiffusionCore, SaysWhatACacheMayKeep) {
  using Asked = std::tuple<CacheAction, int32_t, int32_t>;
  const auto asked = [](CacheMode mode, int32_t refresh_steps) {
    test::FormulaDenoiser denoiser({});
    DiffusionConfig config;
    config.block_length = 3;
    config.kv_cache = mode;
    config.cache_refresh_steps = refresh_steps;
    Canvas canvas = prompt_and_hole({1, 2}, 6);
    canvas.block_origin = 2;
    DiffusionCore(denoiser, {test::kMaskId, {}, {}}).fill({canvas}, config, false, kNoise);
    std::vector<Asked> calls;
    for (const auto& call : denoiser.calls) {
      calls.emplace_back(call.action, call.active.begin, call.active.end);
    }
    return calls;
  };
  constexpr auto kRefresh = CacheAction::kRefresh;
  constexpr auto kReuse = CacheAction::kReuse;
  EXPECT_THAT(
      asked(CacheMode::kPrefix, 0),
      testing::ElementsAre(Asked{kRefresh, 2, 8}, Asked{kReuse, 2, 8}, Asked{kReuse, 2, 8},
                           Asked{kRefresh, 5, 8}, Asked{kReuse, 5, 8}, Asked{kReuse, 5, 8}));
  EXPECT_THAT(
      asked(CacheMode::kDual, 2),
      testing::ElementsAre(Asked{kRefresh, 2, 5}, Asked{kReuse, 2, 5}, Asked{kRefresh, 2, 5},
                           Asked{kRefresh, 5, 8}, Asked{kReuse, 5, 8}, Asked{kRefresh, 5, 8}));
  for (const auto& [action, begin, end] : asked(CacheMode::kNone, 0)) {
    EXPECT_EQ(action, CacheAction::kNone);
  }
}

TEST(DiffusionCore, RefusesOptionsOutOfRange) {
  TableDenoiser denoiser = favouring({0, 1});
  const auto error = [&](auto&& change) {
    DiffusionConfig config;
    change(config);
    return error_of<ConfigError>(denoiser, prompt_and_hole({}, 2), config);
  };
  const float nan = std::nanf("");
  const auto says = [](const char* option) { return testing::StartsWith(option); };
  EXPECT_THAT(error([&](auto& c) { c.num_steps = -1; }), says("num_steps"));
  EXPECT_THAT(error([&](auto& c) { c.num_steps = INT32_MAX; }), says("num_steps"));
  EXPECT_THAT(error([&](auto& c) { c.block_length = -1; }), says("block_length"));
  EXPECT_THAT(error([&](auto& c) { c.temperature = nan; }), says("temperature"));
  EXPECT_THAT(error([&](auto& c) { c.temperature = -1; }), says("temperature"));
  EXPECT_THAT(error([&](auto& c) { c.temperature = 1e-6F; }), says("temperature"));
  EXPECT_THAT(error([&](auto& c) { c.top_k = -1; }), says("top_k"));
  EXPECT_THAT(error([&](auto& c) { c.top_p = 0; }), says("top_p"));
  EXPECT_THAT(error([&](auto& c) { c.top_p = nan; }), says("top_p"));
  EXPECT_THAT(error([&](auto& c) { c.alg_temp = 1; }), says("alg_temp needs"));
  EXPECT_THAT(error([&](auto& c) { c.alg_temp = nan; }), says("alg_temp"));
  EXPECT_THAT(error([&](auto& c) { c.eps = 0; }), says("eps"));
  EXPECT_THAT(error([&](auto& c) { c.eps = 1; }), says("eps"));
  EXPECT_THAT(error([&](auto& c) { c.confidence_threshold = 1.5F; }), says("confidence_threshold"));
  EXPECT_THAT(error([&](auto& c) { c.editing_threshold = nan; }), says("editing_threshold"));
  EXPECT_THAT(error([&](auto& c) { c.factor = 0; }), says("factor"));
  EXPECT_THAT(error([&](auto& c) { c.entropy_bound = -1; }), says("entropy_bound"));
  EXPECT_THAT(error([&](auto& c) { c.max_post_steps = -1; }), says("max_post_steps"));
  EXPECT_THAT(error([&](auto& c) { c.cfg_scale = HUGE_VALF; }), says("cfg_scale"));
  EXPECT_THAT(error([&](auto& c) { c.cache_refresh_steps = -1; }), says("cache_refresh_steps"));
  EXPECT_THAT(error([&](auto& c) { c.num_samples = 0; }), says("num_samples"));
  EXPECT_THAT(error([&](auto& c) { c.remasking = static_cast<Remasking>(99); }),
              says("unknown remasking"));
  EXPECT_THAT(error([&](auto& c) {
                c.remasking = Remasking::kDdpm;
                c.schedule = static_cast<ScheduleKind>(99);
              }),
              says("unknown noise schedule"));
}

}  // namespace
}  // namespace aios
