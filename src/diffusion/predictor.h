/// Asks the denoiser for the next step of several canvases at once.
///
/// Where no rule on whole rows is on, the head's fused candidates are used as they are. Whole rows
/// of logits are asked for by: guidance, top-k, top-p, rows that are drawn from again
/// (`ddpm_cache`), and end-of-text tokens allowed at some positions but not at others. They then
/// pass, in this order: guidance, suppression of end-of-text, temperature, top-k and top-p (SDAR,
/// LLaDA2; Dream filters by top-p first), draw. Memory for those: rows x vocabulary floats, twice
/// that with guidance.
///
/// Guidance (LLaDA generate.py): logits = u + (cfg_scale + 1) (c - u), where the unconditional u
/// sees the canvas with every given token masked and every token written so far. For the denoiser,
/// the unconditional branch of canvas i is canvas number `num_canvases + i`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aios/config.h"
#include "diffusion/canvas_run.h"
#include "diffusion/denoiser.h"

namespace aios {

class Predictor {
 public:
  /// All borrowed. @param suppressed_token_ids ascending, the mask id among them
  Predictor(Denoiser& denoiser, const DiffusionConfig& config, const RunSettings& settings,
            std::span<const CanvasRun> runs, std::span<const int32_t> suppressed_token_ids);

  /// One call for all `runs`. @returns per run one row per wanted position
  /// @throws InferenceError if a row holds no token that could be drawn
  std::vector<std::vector<RowCandidates>> predict(std::span<CanvasRun* const> runs);

  /// The canvas has changed: rows kept of it are void.
  void forget(int32_t canvas) { kept_rows_[static_cast<std::size_t>(canvas)].clear(); }

  /// Tells the denoiser that what lies before the given ends of windows is final.
  void store(CanvasRun& run);

  [[nodiscard]] int32_t num_forward_passes() const noexcept { return num_forward_passes_; }

 private:
  [[nodiscard]] HeadRequest base_request() const;
  [[nodiscard]] int32_t unconditional_index(const CanvasRun& run) const noexcept {
    return static_cast<int32_t>(num_canvases_) + run.index();
  }
  [[nodiscard]] std::vector<float>& kept_rows(const CanvasRun& run) noexcept {
    return kept_rows_[static_cast<std::size_t>(run.index())];
  }
  /// Asks the denoiser; its answers stay in `result_`, first all runs', then their unconditional
  /// ones.
  void call(std::span<CanvasRun* const> runs);
  /// The run's part of `result_`.
  [[nodiscard]] std::vector<RowCandidates> answer(const CanvasRun& run, std::size_t first_row,
                                                  std::size_t num_asked_rows);
  void process_rows(const CanvasRun& run, std::span<float> rows) const;
  [[nodiscard]] std::vector<RowCandidates> draw(const CanvasRun& run,
                                                std::span<const float> rows) const;

  Denoiser& denoiser_;
  const DiffusionConfig& config_;
  const RunSettings& settings_;
  std::vector<int32_t> suppressed_token_ids_;  // by the head, on every row
  bool suppresses_ends_by_row_ = false;
  bool needs_rows_ = false;
  std::size_t num_canvases_;
  std::vector<std::vector<float>> kept_rows_;  // per canvas, processed
  HeadResult result_;
  int32_t num_forward_passes_ = 0;
};

}  // namespace aios
