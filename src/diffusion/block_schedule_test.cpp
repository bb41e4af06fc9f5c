#include "diffusion/block_schedule.h"

namespace aios {
namespace {

Canvas prompt_and_hole(int32_t prompt_length, int32_t hole_length, int32_t block_origin) {
  Canvas canvas;
  canvas.append_given(std::vector<int32_t>(static_cast<std::size_t>(prompt_length), 7));
  canvas.append_hole(hole_length, true);
  canvas.block_origin = block_origin;
  return canvas;
}

using Blocks = std::vector<Block>;

TEST(BlockSchedule, LladaCountsFromThePromptsEndAndSeesAll) {
  EXPECT_EQ(block_schedule(prompt_and_hole(5, 10, 5), {4, false}),
            (Blocks{{5, 9, 15}, {9, 13, 15}, {13, 15, 15}}));
}

TEST(BlockSchedule, InfillCountsFromZero) {
  EXPECT_EQ(block_schedule(prompt_and_hole(5, 5, 0), {4, false}),
            (Blocks{{0, 4, 10}, {4, 8, 10}, {8, 10, 10}}));
}

TEST(BlockSchedule, CausalBlocksDoNotSeeLaterOnes) {
  EXPECT_EQ(block_schedule(prompt_and_hole(6, 6, whole_blocks(6, 4)), {4, true}),
            (Blocks{{4, 8, 8}, {8, 12, 12}}));
}

TEST(BlockSchedule, NoBlockLengthIsOneBlock) {
  EXPECT_EQ(block_schedule(prompt_and_hole(3, 4, 3), {0, false}), (Blocks{{3, 7, 7}}));
  EXPECT_EQ(block_schedule(prompt_and_hole(3, 4, 0), {INT32_MAX, false}), (Blocks{{0, 7, 7}}));
}

TEST(BlockSchedule, MasksLeftOfTheOriginBelongToTheFirstBlock) {
  Canvas canvas;
  canvas.append_given(std::vector<int32_t>{1, 2});
  canvas.append_hole(1, false);
  canvas.append_given(std::vector<int32_t>{3});
  canvas.append_hole(4, true);
  canvas.block_origin = 4;
  EXPECT_EQ(block_schedule(canvas, {2, false}), (Blocks{{2, 6, 8}, {6, 8, 8}}));
}

TEST(BlockSchedule, ArithmeticOfBlocks) {
  EXPECT_EQ(whole_blocks(9, 4), 8);
  EXPECT_EQ(round_up_to_blocks(9, 4), 12);
  EXPECT_EQ(round_up_to_blocks(8, 4), 8);
  EXPECT_EQ(steps_per_block(20, 3), 7);
  EXPECT_EQ(steps_per_block(12, 3), 4);
}

}  // namespace
}  // namespace aios
