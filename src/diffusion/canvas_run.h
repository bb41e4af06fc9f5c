/// The state of one canvas while it is being filled.
///
/// Used by `DiffusionCore`: `advance()` moves to the next step that needs the network, `apply()`
/// writes what the step reveals. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "aios/results.h"
#include "diffusion/canvas.h"
#include "diffusion/denoiser.h"
#include "diffusion/discrete_sampler.h"

namespace aios {

/// What all canvases of a run share.
struct RunSettings {
  DiscreteSampler sampler;
  BlockLayout layout;
  int32_t num_steps = 0;  ///< whole canvas; 0: one per mask
  int32_t mask_token_id = 0;
  std::vector<int32_t> end_token_ids;
  bool stop_at_end_of_text = true;
  CacheMode kv_cache = CacheMode::kNone;
  int32_t cache_refresh_steps = 0;  ///< 0: at a block's first step only
  const UniformSource* noise = nullptr;
};

class CanvasRun {
 public:
  /// @param index of the canvas in the run: names its random numbers
  /// @param settings borrowed
  CanvasRun(Canvas canvas, int32_t index, const RunSettings& settings, const StepCallback& on_step);

  /// Passes steps and blocks that need no prediction. False: the canvas is done.
  bool advance();
  /// After `advance()` returned true: what the next step needs.
  [[nodiscard]] std::span<const int32_t> wanted_positions() const noexcept { return wanted_; }
  [[nodiscard]] std::span<const int32_t> window() const noexcept;
  /// What the step may take from earlier ones, and the positions that it computes then.
  [[nodiscard]] CacheAction cache_action() const noexcept;
  [[nodiscard]] CanvasRange active_range() const noexcept { return active_; }
  [[nodiscard]] int32_t step() const noexcept { return step_; }
  [[nodiscard]] int32_t index() const noexcept { return index_; }
  [[nodiscard]] std::span<const uint8_t> given() const noexcept { return given_; }
  [[nodiscard]] const Canvas& canvas() const noexcept { return canvas_; }

  /// Does the step. @param rows one per wanted position @returns whether a token changed
  bool apply(std::span<const RowCandidates> rows);

  /// Ends of windows that became final since the last call (layouts with invisible blocks).
  [[nodiscard]] std::vector<int32_t> take_final_ends();

  /// First end-of-text written with nothing masked before it.
  [[nodiscard]] std::optional<int32_t> end_of_text() const;
  [[nodiscard]] const std::vector<float>& logprobs() const noexcept { return logprobs_; }

 private:
  void begin_block();
  void end_block();
  void finish_step(int32_t num_changes);
  [[nodiscard]] bool block_is_done() const;
  [[nodiscard]] StepState state() const;
  void find_masks();
  void observe() const;

  const RunSettings& settings_;
  const StepCallback& on_step_;
  Canvas canvas_;
  std::vector<uint8_t> given_;
  std::vector<float> logprobs_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  StepPlan plan_;
  CanvasRange active_;                     // of the block, as the cache mode says
  std::vector<int32_t> masked_positions_;  // of the block
  std::vector<int32_t> wanted_;
  std::vector<int32_t> final_ends_;
  int32_t index_;
  int32_t step_ = 0;
  int32_t step_in_block_ = 0;
  int32_t num_answers_in_block_ = 0;
  int32_t num_post_steps_ = 0;
  int32_t last_num_changes_ = 0;
  int32_t num_planned_steps_ = 0;
  bool block_had_masks_ = false;
  bool finished_ = false;
};

}  // namespace aios
