#include "diffusion/infill_lengths.h"

#include "aios/error.h"
#include "diffusion/testing/table_denoiser.h"

namespace aios {
namespace {

using Ids = std::vector<int32_t>;
constexpr int32_t kMask = 20;

CanvasSegment given(Ids ids) { return {std::move(ids), 0, 0, false}; }
CanvasSegment hole(int32_t min_tokens, int32_t max_tokens) {
  return {{}, min_tokens, max_tokens, false};
}

/// A text that counts: at position p of the canvas token p is by far the likeliest.
test::TableDenoiser counting() {
  std::vector<std::vector<double>> logits(64, std::vector<double>(kMask + 1, 0.0));
  for (std::size_t position = 0; position < 64; ++position) {
    logits[position][position % static_cast<std::size_t>(kMask)] = 6;
  }
  return test::TableDenoiser(logits);
}

Ids choose(std::vector<CanvasSegment> segments, int32_t max_length = 64,
           const LengthChoice& choice = {}) {
  test::TableDenoiser denoiser = counting();
  return choose_hole_lengths(denoiser, kMask, segments, max_length, choice);
}

TEST(InfillLengths, TheTextOnTheRightTellsTheLength) {
  for (int32_t length = 1; length <= 10; ++length) {
    const Ids right = {3 + length, 4 + length, 5 + length};
    EXPECT_EQ(choose({given({0, 1, 2}), hole(1, 10), given(right)}), Ids{length});
  }
}

TEST(InfillLengths, SeveralHolesAreSettledFromTheLeft) {
  EXPECT_EQ(
      choose({hole(1, 8), given({5, 6}), hole(2, 2), given({9}), hole(1, 6), given({13, 14})}),
      (Ids{5, 2, 3}));
}

TEST(InfillLengths, FixedHolesAskNothing) {
  test::TableDenoiser denoiser = counting();
  const std::vector<CanvasSegment> segments = {given({0}), hole(4, 4), given({9})};
  EXPECT_EQ(choose_hole_lengths(denoiser, kMask, segments, 64), Ids{4});
  EXPECT_EQ(denoiser.num_calls, 0);
}

TEST(InfillLengths, AHoleWithNothingOnItsRightTakesItsLargestLength) {
  EXPECT_EQ(choose({given({0}), hole(2, 9)}), Ids{9});
  EXPECT_EQ(choose({given({0}), hole(2, 9), hole(3, 4), given({11})}), (Ids{9, 3}));
}

TEST(InfillLengths, GivenTextMayComeInPieces) {
  EXPECT_EQ(choose({given({0}), given({}), hole(1, 6), given({}), given({4}), given({5})}), Ids{3});
}

TEST(InfillLengths, LengthsFitTheContext) {
  EXPECT_EQ(choose({given({0}), hole(2, 9)}, 6), Ids{5});
  EXPECT_EQ(choose({given({0, 1}), hole(1, 10), given({9, 10})}, 7), Ids{1});  // 7 does not fit
}

// 5 of 1 ... 41: 1, 11, 21, 31, 41; the token wanted stands at 12, and 11 comes nearest on the
// right.
TEST(InfillLengths, WideRangesAreTriedAtEvenlySpacedLengths) {
  LengthChoice choice;
  choice.max_candidates = 5;
  EXPECT_EQ(choose({given({0}), hole(1, 41), given({12, 13})}, 64, choice), Ids{11});
}

TEST(InfillLengths, AGivenMaskIsNoAnchor) {
  EXPECT_EQ(choose({given({0, 1}), hole(1, 6), given({kMask, 6})}), Ids{3});
  EXPECT_EQ(choose({given({0, 1}), hole(1, 6), given({kMask})}), Ids{6});  // no evidence
}

TEST(InfillLengths, CanvasHasTheSegmentsInOrder) {
  std::vector<CanvasSegment> segments = {given({7, 8}), hole(1, 3), given({9})};
  segments[1].text_may_end = true;
  const Canvas canvas = make_canvas(segments, Ids{2});
  EXPECT_EQ(canvas.length(), 5);
  EXPECT_EQ(canvas.masked, (std::vector<uint8_t>{0, 0, 1, 1, 0}));
  EXPECT_EQ(canvas.may_end, (std::vector<uint8_t>{0, 0, 1, 1, 0}));
  EXPECT_EQ(canvas.token_ids[4], 9);
  EXPECT_EQ(canvas.block_origin, 0);
}

TEST(InfillLengths, RefusesImpossibleHoles) {
  EXPECT_THROW(choose({hole(0, 3)}), ConfigError);
  EXPECT_THROW(choose({hole(4, 3)}), ConfigError);
  EXPECT_THROW(choose({given({0}), hole(60, 70), given({1, 2, 3, 4})}), InferenceError);
}

}  // namespace
}  // namespace aios
