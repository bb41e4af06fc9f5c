/// What the denoising loop asks of a network; the loop knows no model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/head.h"

namespace aios {

/// What to do with keys and values that the denoiser may keep of this canvas. A denoiser without a
/// cache computes its answer from the whole window.
enum class CacheAction {
  kNone,     ///< window is the whole visible canvas
  kStore,    ///< as kNone, and what lies before the window's end is final from now on
  kRefresh,  ///< as kNone; keys and values of the whole window are kept for kReuse
  kReuse,    ///< only `active` is computed: for the rest the last kRefresh stands in
};

/// Positions [begin, end) of a canvas.
struct CanvasRange {
  int32_t begin = 0;
  int32_t end = 0;
};

/// One canvas of a call. Positions count from the start of the canvas; the network sees the first
/// `window.size()` tokens, and later positions do not exist for it.
struct DenoiseInput {
  /// Which canvas of the run. With guidance, canvas `num_canvases + i` is the unconditional branch
  /// of canvas i: a canvas of its own, whose given tokens are masks.
  int32_t canvas = 0;
  std::span<const int32_t> window;
  /// Canvas positions whose predictions are wanted, ascending. Empty only with kStore, and then no
  /// rows are expected: a notice, on which the denoiser may act now, at its next call, or never.
  std::span<const int32_t> positions;
  CacheAction cache_action = CacheAction::kNone;
  CanvasRange active = {};  ///< with kReuse: not empty, inside the window, holds `positions`
};

/// The network. Results are for the position asked: the denoiser applies the model's logit shift.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  /// Answers all `inputs` in one pass. `request.rows` is ignored (the rows are the inputs'
  /// positions, in order, one result row each); all else of `request` counts.
  virtual void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
                       HeadResult& result) = 0;
  [[nodiscard]] virtual int64_t vocab_size() const noexcept = 0;
};

}  // namespace aios
