/// A token sequence with holes.
///
/// `diffuse` is a prompt and one hole, `infill` any number of holes; editing re-masks chosen
/// positions. What is a hole is said by `masked`, never by a token id: a given token that happens
/// to be the mask id stays as it is. Plain data, built by the caller.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace aios {

struct Canvas {
  std::vector<int32_t> token_ids;
  std::vector<uint8_t> masked;   ///< per position: to be filled (its token id is ignored)
  std::vector<uint8_t> may_end;  ///< per position: may an end-of-text token stand here?
  /// Blocks are counted from here. LLaDA, BD3-LM: the prompt's length; infill: 0; SDAR, LLaDA2.0:
  /// the prompt's length rounded down to whole blocks (`whole_blocks`).
  int32_t block_origin = 0;

  void append_given(std::span<const int32_t> ids) {
    token_ids.insert(token_ids.end(), ids.begin(), ids.end());
    masked.resize(token_ids.size(), 0);
    may_end.resize(token_ids.size(), 0);
  }
  void append_hole(int32_t length, bool text_may_end) {
    token_ids.resize(token_ids.size() + static_cast<std::size_t>(length), 0);
    masked.resize(token_ids.size(), 1);
    may_end.resize(token_ids.size(), text_may_end ? 1 : 0);
  }
  [[nodiscard]] int32_t length() const noexcept { return static_cast<int32_t>(token_ids.size()); }
};

}  // namespace aios
