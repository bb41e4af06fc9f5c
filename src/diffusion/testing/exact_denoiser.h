/// For tests: a denoiser that knows the exact conditionals of a small joint distribution.
///
/// Texts are three tokens out of ids 0, 1, 2, on a canvas of a begin token and three positions; id
/// 3 is the mask. Revealed one at a time, in an order that does not depend on the tokens drawn, its
/// texts follow the joint distribution exactly; and its likelihood bound is the exact likelihood.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/random.h"
#include "diffusion/denoiser.h"
#include "diffusion/testing/reference_head.h"

namespace aios::test {

using Text = std::array<int32_t, 3>;

class ExactDenoiser final : public Denoiser {
 public:
  static constexpr int32_t kMask = 3;

  explicit ExactDenoiser(uint64_t seed = 11) {
    const PhiloxUniformSource noise(seed);
    double sum = 0;
    for (int32_t i = 0; i < 27; ++i) {
      const double mass = 0.02 + std::pow(noise.uniform(0, 0, i, 0), 4);
      joint_[{i / 9, i / 3 % 3, i % 3}] = mass;
      sum += mass;
    }
    for (auto& [text, probability] : joint_) probability /= sum;
  }

  [[nodiscard]] const std::map<Text, double>& joint() const noexcept { return joint_; }

  /// Of all texts that agree with the canvas where it holds no mask.
  [[nodiscard]] double probability(std::span<const int32_t> window) const {
    double sum = 0;
    for (const auto& [text, mass] : joint_) {
      bool agrees = true;
      for (std::size_t i = 0; i < text.size(); ++i) {
        agrees &= window[i + 1] == kMask || window[i + 1] == text[i];
      }
      if (agrees) sum += mass;
    }
    return sum;
  }

  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override {
    std::vector<std::vector<double>> logits;
    for (const DenoiseInput& input : inputs) {
      ++num_canvases;
      for (const int32_t position : input.positions) {
        std::vector<int32_t> window(input.window.begin(), input.window.end());
        logits.emplace_back();
        for (int32_t id = 0; id < kMask; ++id) {
          window[static_cast<std::size_t>(position)] = id;
          logits.back().push_back(std::log(probability(window)));
        }
        logits.back().push_back(2);  // the mask: likely, and never to be sampled
      }
    }
    ++num_calls;
    reference_head(logits, request, result);
  }
  [[nodiscard]] int64_t vocab_size() const noexcept override { return 4; }

  int num_calls = 0;
  int num_canvases = 0;

 private:
  std::map<Text, double> joint_;
};

}  // namespace aios::test
