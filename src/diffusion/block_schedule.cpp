#include "diffusion/block_schedule.h"

#include <algorithm>

namespace aios {

std::vector<Block> block_schedule(const Canvas& canvas, const BlockLayout& layout) {
  const int32_t length = canvas.length();
  const auto first_mask = static_cast<int32_t>(
      std::find_if(canvas.masked.begin(), canvas.masked.end(), [](uint8_t m) { return m != 0; }) -
      canvas.masked.begin());
  const int32_t block_length =
      layout.block_length > 0 ? layout.block_length : std::max(1, length - canvas.block_origin);

  std::vector<Block> blocks;
  for (int32_t begin = canvas.block_origin; begin < length; begin += block_length) {
    const int32_t end = begin + std::min(block_length, length - begin);
    blocks.push_back({begin, end, layout.causal ? end : length});
    if (length - begin <= block_length) break;  // begin + block_length could overflow
  }
  if (!blocks.empty()) blocks.front().begin = std::min(blocks.front().begin, first_mask);
  return blocks;
}

}  // namespace aios
