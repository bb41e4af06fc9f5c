#include "engine/core_denoiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "aios/error.h"
#include "base/random.h"
#include "diffusion/diffusion_core.h"
#include "engine/loaded_model.h"

namespace aios {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::ThrowsMessage;

LoadedModel load(const std::string& fixture) {
  return LoadedModel(std::string(AIOS_SOURCE_DIR) + "/tests/parity/fixtures/" + fixture,
                     EngineConfig{.num_threads = 1, .compute = ComputeType::kF32});
}

/// Row `row` of the network's logits for one sequence.
std::vector<float> network_row(const InferenceCore& core, const std::vector<int32_t>& ids,
                               int32_t row) {
  const SequenceInput sequence{ids, nullptr};
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  request.rows = std::span(&row, 1);
  HeadResult result;
  core.score(std::span(&sequence, 1), AttentionKind::kFull, request, result);
  return result.logits;
}

/// Asks for positions of two windows of different lengths at once.
void expect_rows(const std::string& fixture, int32_t shift) {
  const LoadedModel model = load(fixture);
  ASSERT_EQ(model.spec().logit_shift, shift == 1);
  const std::vector<int32_t> first = {5, 6, 7, 8, 9};
  const std::vector<int32_t> second = {11, 12, 13};
  const std::vector<int32_t> first_positions = {0, 1, 4};
  const std::vector<int32_t> second_positions = {2};
  const DenoiseInput inputs[] = {{.canvas = 0, .window = first, .positions = first_positions},
                                 {.canvas = 1, .window = second, .positions = second_positions}};
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  HeadResult result;
  CoreDenoiser denoiser(model.core(), AttentionKind::kFull);
  denoiser.denoise(inputs, request, result);

  std::vector<float> expected;
  const auto add = [&](const std::vector<int32_t>& ids, int32_t row) {
    const std::vector<float> logits = network_row(model.core(), ids, row);
    expected.insert(expected.end(), logits.begin(), logits.end());
  };
  add(first, 0);  // where rows are shifted, nothing predicts position 0: its own row stands in
  add(first, 1 - shift);
  add(first, 4 - shift);
  add(second, 2 - shift);
  EXPECT_EQ(denoiser.vocab_size() * 4, std::ssize(expected));
  EXPECT_THAT(result.logits, ElementsAreArray(expected));
}

TEST(CoreDenoiser, GivesShiftedModelsTheRowBefore) { expect_rows("dream", 1); }

TEST(CoreDenoiser, GivesOtherModelsTheirOwnRow) { expect_rows("llada_wide_logits", 0); }

/// Two canvases, filled by a fixture's network in blocks.
FilledCanvases fill(const LoadedModel& model, DiffusionConfig config, int64_t cache_capacity) {
  const bool causal_blocks = model.spec().allows(AttentionKind::kBlockCausal);
  CoreDenoiser denoiser(model.core(),
                        causal_blocks ? AttentionKind::kBlockCausal : AttentionKind::kFull);
  if (cache_capacity > 0) denoiser.keep_caches(cache_capacity);
  const auto mask = static_cast<int32_t>(model.spec().vocab_size - 1);
  config.block_length = causal_blocks ? model.spec().block_length : 8;
  std::vector<Canvas> canvases(2);
  for (int32_t i = 0; i < 2; ++i) {
    const std::vector<int32_t> prompt = {5, 6, 7, 8 + i, 9, 10, 11};
    canvases[static_cast<std::size_t>(i)].append_given(prompt);
    canvases[static_cast<std::size_t>(i)].block_origin =
        causal_blocks ? whole_blocks(7, config.block_length) : 7;
    canvases[static_cast<std::size_t>(i)].append_hole(20, false);
  }
  return DiffusionCore(denoiser,
                       {.mask_token_id = mask, .suppressed_token_ids = {}, .end_token_ids = {}})
      .fill(canvases, config, causal_blocks, PhiloxUniformSource(1));
}

void expect_same(const FilledCanvases& a, const FilledCanvases& b) {
  EXPECT_EQ(a.num_forward_passes, b.num_forward_passes);
  ASSERT_EQ(a.canvases.size(), b.canvases.size());
  for (std::size_t i = 0; i < a.canvases.size(); ++i) {
    EXPECT_EQ(a.canvases[i].token_ids, b.canvases[i].token_ids);
    EXPECT_EQ(a.canvases[i].logprobs, b.canvases[i].logprobs);
  }
}

TEST(CoreDenoiser, BlocksThatSeeNoLaterOnesAreKeptExactly) {
  for (const char* fixture : {"a2d_qwen3_blocks", "a2d_llama_blocks", "a2d_qwen2_blocks_of_32"}) {
    SCOPED_TRACE(fixture);
    const LoadedModel model = load(fixture);
    DiffusionConfig config;
    config.temperature = 1;
    const FilledCanvases computed = fill(model, config, 0);
    config.kv_cache = CacheMode::kPrefix;
    expect_same(fill(model, config, 27), computed);
    config.cfg_scale = 0.5F;  // guidance keeps a cache of its own
    expect_same(fill(model, config, 27), fill(model, config, 0));
  }
}

TEST(CoreDenoiser, ACacheRefreshedAtEachStepChangesNothing) {
  for (const char* fixture : {"dream", "llada_tied_qkv_bias"}) {
    for (const CacheMode mode : {CacheMode::kPrefix, CacheMode::kDual}) {
      SCOPED_TRACE(fixture);
      const LoadedModel model = load(fixture);
      DiffusionConfig config;
      config.temperature = 1;
      const FilledCanvases computed = fill(model, config, 0);
      config.kv_cache = mode;
      config.cache_refresh_steps = 1;
      expect_same(fill(model, config, 27), computed);
    }
  }
}

/// Keys and values of the rest come from the canvas of the refresh, those of the active part from
/// the canvas as it is: the rows of a network whose caches are handled by hand.
TEST(CoreDenoiser, ReusesWhatTheRefreshKept) {
  const LoadedModel model = load("dream");  // shifted rows
  const std::vector<int32_t> before = {5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<int32_t> after = before;
  after[4] = 20;
  const std::vector<int32_t> positions = {3, 4};
  HeadRequest request;
  request.output = HeadOutput::kLogits;
  HeadResult result;
  CoreDenoiser denoiser(model.core(), AttentionKind::kFull);
  denoiser.keep_caches(8);
  const DenoiseInput refresh{
      .canvas = 3, .window = before, .positions = positions, .cache_action = CacheAction::kRefresh};
  denoiser.denoise(std::span(&refresh, 1), request, result);
  const DenoiseInput reuse{.canvas = 3,
                           .window = after,
                           .positions = positions,
                           .cache_action = CacheAction::kReuse,
                           .active = {3, 6}};
  denoiser.denoise(std::span(&reuse, 1), request, result);

  const auto cache = model.core().make_cache(8);
  const SequenceInput whole{before, cache.get()};
  (void)model.core().hidden_states(std::span(&whole, 1), AttentionKind::kFull);
  const SequenceInput part{std::span(after).subspan(2, 4), cache.get(), 2};
  const std::vector<int32_t> rows = {0, 1};
  HeadRequest direct = request;
  direct.rows = rows;
  HeadResult expected;
  model.core().score(std::span(&part, 1), AttentionKind::kFull, direct, expected);
  EXPECT_EQ(result.logits, expected.logits);
}

TEST(CoreDenoiser, NeedsAModelThatSeesItsRight) {
  ModelSpec spec;
  spec.family = "tiny";
  spec.attention_kinds = {AttentionKind::kCausal};
  EXPECT_THAT([&] { (void)denoising_attention(spec); },
              ThrowsMessage<InferenceError>(HasSubstr("cannot diffuse")));
  spec.attention_kinds = {AttentionKind::kCausal, AttentionKind::kFull};
  EXPECT_EQ(denoising_attention(spec), AttentionKind::kFull);
  spec.attention_kinds = {AttentionKind::kBlockCausal, AttentionKind::kFull};
  EXPECT_EQ(denoising_attention(spec), AttentionKind::kBlockCausal);
}

}  // namespace
}  // namespace aios
