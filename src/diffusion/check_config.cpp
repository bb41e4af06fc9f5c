#include "diffusion/check_config.h"

#include <cmath>

#include "aios/error.h"

namespace aios {
namespace {

void require(bool holds, const char* message) {
  if (!holds) throw ConfigError(message);
}

constexpr int32_t kMaxSteps = 1'000'000;  // plans hold a number per step

bool is_probability(float value) { return value >= 0 && value <= 1; }  // false for NaN

bool ranks_like_dream(Remasking remasking) {
  return remasking == Remasking::kMaskgitPlus || remasking == Remasking::kTopkMargin ||
         remasking == Remasking::kEntropy;
}

}  // namespace

void check_diffusion_config(const DiffusionConfig& config) {
  require(config.num_steps >= 0 && config.num_steps <= kMaxSteps,
          "num_steps must lie in 0 ... 1000000 (0 is one step per masked token)");
  require(config.block_length >= 0, "block_length must be at least 0 (0 is one block)");
  require(
      config.temperature == 0 || (config.temperature >= 1e-4F && std::isfinite(config.temperature)),
      "temperature must be 0 (greedy) or a number of at least 0.0001");
  require(config.top_k >= 0, "top_k must be at least 0 (0 is off)");
  require(config.top_p > 0 && config.top_p <= 1, "top_p must lie in (0, 1] (1 is off)");
  require(config.alg_temp == 0 || (config.alg_temp > 0 && std::isfinite(config.alg_temp)),
          "alg_temp must be a number of at least 0 (0 is off)");
  require(config.alg_temp == 0 || ranks_like_dream(config.remasking),
          "alg_temp needs remasking maskgit_plus, topk_margin or entropy");
  require(config.eps > 0 && config.eps < 1, "eps must lie between 0 and 1");
  require(is_probability(config.confidence_threshold), "confidence_threshold must lie in [0, 1]");
  require(is_probability(config.editing_threshold), "editing_threshold must lie in [0, 1]");
  require(config.factor > 0 && std::isfinite(config.factor), "factor must be a number above 0");
  require(config.entropy_bound >= 0 && std::isfinite(config.entropy_bound),
          "entropy_bound must be a number of at least 0 (nats)");
  require(config.max_post_steps >= 0, "max_post_steps must be at least 0");
  require(config.cfg_scale >= 0 && std::isfinite(config.cfg_scale),
          "cfg_scale must be a number of at least 0 (0 is off)");
  require(config.cache_refresh_steps >= 0, "cache_refresh_steps must be at least 0 (0 is once)");
  require(config.num_samples >= 1, "num_samples must be at least 1");
}

}  // namespace aios
