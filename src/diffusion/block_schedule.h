/// Cuts a canvas into the blocks that are filled one after another.
///
/// Where the papers differ is where blocks are counted from and what a block sees:
///   LLaDA         from the prompt's end; the whole canvas is visible
///   dLLM infill   from position 0; the whole canvas is visible
///   dLLM BD3LM    from the prompt's end (it pads the prompt on the left); later blocks do not
///   exist SDAR, LLaDA2  from position 0 (a partial prompt block stays in); later blocks do not
///   exist
#pragma once

#include <cstdint>
#include <vector>

#include "diffusion/canvas.h"

namespace aios {

struct Block {
  int32_t begin = 0;
  int32_t end = 0;          ///< one past the last position
  int32_t visible_end = 0;  ///< the network sees canvas positions [0, visible_end)
  friend bool operator==(const Block&, const Block&) = default;
};

struct BlockLayout {
  int32_t block_length = 0;  ///< 0: one block
  bool causal = false;       ///< later blocks are invisible
};

/// Blocks from `canvas.block_origin` to the end. Masks left of the origin belong to the first
/// block, which then begins at the first of them.
[[nodiscard]] std::vector<Block> block_schedule(const Canvas& canvas, const BlockLayout& layout);

/// Steps of each block when `num_steps` counts the whole canvas: an equal share, rounded up (dLLM;
/// LLaDA asks for no remainder).
[[nodiscard]] inline int32_t steps_per_block(int32_t num_steps, std::size_t num_blocks) noexcept {
  const auto blocks = static_cast<int32_t>(num_blocks);
  return num_steps / blocks + (num_steps % blocks != 0 ? 1 : 0);
}

/// `length` rounded down, and up, to whole blocks.
[[nodiscard]] inline int32_t whole_blocks(int32_t length, int32_t block_length) noexcept {
  return length / block_length * block_length;
}
[[nodiscard]] inline int64_t round_up_to_blocks(int64_t length, int64_t block_length) noexcept {
  return (length + block_length - 1) / block_length * block_length;
}

}  // namespace aios
