#include "engine/core_denoiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "aios/error.h"
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
