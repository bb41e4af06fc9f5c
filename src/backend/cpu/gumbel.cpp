#include "backend/cpu/gumbel.h"

#include <algorithm>
#include <cmath>

namespace aios {
namespace {

/// g of the largest double below 1, rounded up: no token can gain more.
constexpr double kLargestGumbel = 36.75;

/// True only if g = -ln(-ln u) is certainly below `needed`; saves both logarithms for most tokens.
/// With -ln u >= 1 - u and e^needed >= its series' first terms, 1 - u >= e^-needed suffices.
bool certainly_below(double u, double needed) noexcept {
  if (needed <= 0) return false;
  constexpr double kMargin = 1 + 1e-9;  // for the rounding of the products
  const double series = 1 + needed * (1 + needed / 2 * (1 + needed / 3));
  return (1 - u) * series > kMargin;
}

}  // namespace

GumbelWinner find_gumbel_winner(std::span<const float> logits, const HeadRequest& request,
                                const NoiseKey& key, int32_t first_id) noexcept {
  GumbelWinner winner;
  const double scale = request.gumbel_scale;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] == -std::numeric_limits<float>::infinity()) continue;
    const double scaled = logits[i] / request.softmax_temperature;
    const double needed = (winner.score - scaled) / scale;
    if (needed > kLargestGumbel) continue;
    const int32_t id = first_id + static_cast<int32_t>(i);
    const double u = request.noise->uniform(key.canvas, key.step, key.position, id);
    if (certainly_below(u, needed)) continue;
    const double positive = std::max(u, std::numeric_limits<double>::min());
    const double score = scaled - scale * std::log(-std::log(positive));
    if (score > winner.score) winner = {score, id, logits[i]};
  }
  return winner;
}

}  // namespace aios
