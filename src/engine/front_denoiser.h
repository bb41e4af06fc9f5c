/// A prompt that changes while the canvas behind it is written.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "diffusion/denoiser.h"

namespace aios {

/// Passes canvases on with other tokens at their front: the denoising loop goes on as it was, and
/// the network sees what took the place of the prompt. Positions behind it move by the difference
/// of the lengths; what was kept of the canvas is computed anew at its next call. For canvases that
/// are visible as a whole. Not thread-safe.
class FrontDenoiser final : public Denoiser {
 public:
  /// @param denoiser borrowed
  explicit FrontDenoiser(Denoiser& denoiser) : denoiser_(denoiser) {}

  /// From now on `front` stands for the first `length` tokens of the loop's canvas `canvas`: tokens
  /// of which the loop asks nothing.
  void exchange(int32_t canvas, std::size_t length, std::vector<int32_t> front);

  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override;
  [[nodiscard]] int64_t vocab_size() const noexcept override { return denoiser_.vocab_size(); }

 private:
  struct Front {
    std::size_t length = 0;  // in the loop's canvas
    std::vector<int32_t> token_ids;
    bool is_new = true;  // to what is kept of the canvas
    std::vector<int32_t> window = {};
    std::vector<int32_t> positions = {};
  };
  [[nodiscard]] static DenoiseInput moved(const DenoiseInput& input, Front& front);

  Denoiser& denoiser_;
  std::map<int32_t, Front> fronts_;  // by canvas
};

}  // namespace aios
