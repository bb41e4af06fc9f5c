/// For tests: a denoiser whose rows hang on nothing but the position.
#pragma once

#include <cmath>
#include <vector>

#include "diffusion/denoiser.h"
#include "diffusion/testing/reference_head.h"

namespace aios::test {

/// The last token is the mask.
class TableDenoiser final : public Denoiser {
 public:
  explicit TableDenoiser(std::vector<std::vector<double>> logits) : logits_(std::move(logits)) {}
  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override {
    ++num_calls;
    std::vector<std::vector<double>> rows;
    for (const DenoiseInput& input : inputs) {
      for (const int32_t position : input.positions) {
        rows.push_back(logits_.at(static_cast<std::size_t>(position)));
      }
    }
    reference_head(rows, request, result);
  }
  [[nodiscard]] int64_t vocab_size() const noexcept override {
    return static_cast<int64_t>(logits_.front().size());
  }
  [[nodiscard]] std::vector<double> softmax(std::size_t position, double temperature) const {
    std::vector<double> probabilities;
    double sum = 0;
    for (std::size_t id = 0; id + 1 < logits_[position].size(); ++id) {
      probabilities.push_back(std::exp((logits_[position][id] - 1) / temperature));
      sum += probabilities.back();
    }
    for (double& probability : probabilities) probability /= sum;
    return probabilities;
  }

  int num_calls = 0;

 private:
  std::vector<std::vector<double>> logits_;
};

}  // namespace aios::test
