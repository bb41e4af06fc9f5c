/// The rule of one step: which masks are revealed, and as what.
///
/// A rule is immutable and shared by all canvases of a run; what changes is in `StepState`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "diffusion/block_schedule.h"
#include "tensor/head.h"

namespace aios {

/// In the place of a token id, names the random numbers that decide about positions.
inline constexpr int32_t kOrderNoise = -1;

/// One step of one canvas, as a rule sees it. Spans live during the call.
struct StepState {
  int32_t canvas = 0;  ///< names its random stream
  int32_t step = 0;    ///< of the canvas, names its random numbers
  int32_t step_in_block = 0;
  int32_t num_steps = 0;  ///< planned for the block; 0: as many as it takes
  int32_t quota = 1;      ///< masks to reveal, for rules with a quota
  Block block;
  std::span<const int32_t> token_ids;         ///< whole canvas
  std::span<const uint8_t> given;             ///< per position: was never a hole
  std::span<const int32_t> masked_positions;  ///< of the block, ascending
  const UniformSource* noise = nullptr;

  [[nodiscard]] double uniform(int32_t position, int32_t token) const noexcept {
    return noise->uniform(canvas, step, position, token);
  }
};

/// A token written into a canvas.
struct Reveal {
  int32_t position = 0;
  int32_t token_id = 0;
  float log_prob = 0;
};

class RevealRule {
 public:
  virtual ~RevealRule() = default;

  /// Positions of the block whose predictions the step needs; none: the step passes without the
  /// network. Usually all masks.
  [[nodiscard]] virtual std::vector<int32_t> wanted_positions(const StepState& state) const {
    return {state.masked_positions.begin(), state.masked_positions.end()};
  }

  /// @param rows what the network says of `positions`, the wanted ones, in their order
  [[nodiscard]] virtual std::vector<Reveal> reveal(const StepState& state,
                                                   std::span<const int32_t> positions,
                                                   std::span<const RowCandidates> rows) const = 0;

  /// Whether a block without masks gets another step.
  /// @param num_post_steps such steps done so far; the last changed `num_changes` tokens
  [[nodiscard]] virtual bool wants_post_step(int32_t /*num_post_steps*/,
                                             int32_t /*num_changes*/) const {
    return false;
  }
  /// Whether revealed tokens may still change before their block is done.
  [[nodiscard]] virtual bool edits() const { return false; }
};

}  // namespace aios
