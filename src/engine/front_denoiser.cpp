#include "engine/front_denoiser.h"

#include <utility>

namespace aios {

void FrontDenoiser::exchange(int32_t canvas, std::size_t length, std::vector<int32_t> front) {
  fronts_.insert_or_assign(canvas, Front{length, std::move(front)});
}

/// The same question about the canvas behind its new front, whose spans `front` holds.
DenoiseInput FrontDenoiser::moved(const DenoiseInput& input, Front& front) {
  const auto shift =
      static_cast<int32_t>(front.token_ids.size()) - static_cast<int32_t>(front.length);
  const auto rest = input.window.subspan(front.length);
  front.window = front.token_ids;
  front.window.insert(front.window.end(), rest.begin(), rest.end());
  front.positions.assign(input.positions.begin(), input.positions.end());
  for (int32_t& position : front.positions) position += shift;

  DenoiseInput moved = input;
  moved.window = front.window;
  moved.positions = front.positions;
  moved.active = {input.active.begin + shift, input.active.end + shift};
  if (front.is_new && input.cache_action == CacheAction::kReuse) {
    moved.cache_action = CacheAction::kRefresh;
  }
  front.is_new = false;
  return moved;
}

void FrontDenoiser::denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
                            HeadResult& result) {
  std::vector<DenoiseInput> passed;
  for (const DenoiseInput& input : inputs) {
    const auto front = fronts_.find(input.canvas);
    passed.push_back(front == fronts_.end() ? input : moved(input, front->second));
  }
  denoiser_.denoise(passed, request, result);
}

}  // namespace aios
