/// For tests: a denoiser that is a formula, so that samplers run without a network.
///
/// The formula of tests/goldens/README.md, with what the networks behind the golden cases had:
/// a gain, shifted rows (row i predicts token i + 1), blocks that do not see later ones.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "diffusion/denoiser.h"
#include "diffusion/testing/reference_head.h"

namespace aios::test {

inline constexpr int32_t kFormulaVocabulary = 48;
inline constexpr int32_t kPadId = 45;
inline constexpr int32_t kEndId = 46;
inline constexpr int32_t kMaskId = 47;

struct FormulaOptions {
  double gain = 1;
  bool shifted = false;
  int32_t block_length = 0;  ///< > 0: position i sees no block later than its own
  int32_t block_origin = 0;
};

/// What the denoiser was asked.
struct RecordedCall {
  std::vector<int32_t> window;
  std::vector<int32_t> positions;
  CacheAction action = CacheAction::kNone;
  CanvasRange active;
};

/// Answers a request from the rows of logits.
using Head = std::function<void(const std::vector<std::vector<double>>& logits,
                                const HeadRequest& request, HeadResult& result)>;

class FormulaDenoiser final : public Denoiser {
 public:
  explicit FormulaDenoiser(FormulaOptions options, Head head = reference_head)
      : options_(options), head_(std::move(head)) {}

  void denoise(std::span<const DenoiseInput> inputs, const HeadRequest& request,
               HeadResult& result) override {
    std::vector<std::vector<double>> logits;
    for (const DenoiseInput& input : inputs) {
      calls.push_back({{input.window.begin(), input.window.end()},
                       {input.positions.begin(), input.positions.end()},
                       input.cache_action,
                       input.active});
      for (const int32_t position : input.positions) {
        const int32_t row = options_.shifted ? std::max(position - 1, 0) : position;
        logits.push_back(row_logits(input.window, row));
      }
    }
    head_(logits, request, result);
  }
  [[nodiscard]] int64_t vocab_size() const noexcept override { return kFormulaVocabulary; }

  std::vector<RecordedCall> calls;

 private:
  [[nodiscard]] int32_t block_of(int32_t position) const {
    const int32_t from_origin = position - options_.block_origin;
    const int32_t length = options_.block_length;
    return from_origin >= 0 ? from_origin / length : -((length - 1 - from_origin) / length);
  }
  [[nodiscard]] bool sees(int32_t row, int32_t position, std::size_t window_length) const {
    if (position < 0 || static_cast<std::size_t>(position) >= window_length) return false;
    return options_.block_length == 0 || block_of(position) <= block_of(row);
  }
  [[nodiscard]] std::vector<double> row_logits(std::span<const int32_t> window, int32_t row) const {
    std::vector<double> logits;
    for (int32_t v = 0; v < kFormulaVocabulary; ++v) {
      double logit = 4 * std::sin(0.37 * (v + 1) * (row + 1));
      for (const int32_t neighbour : {row - 1, row + 1}) {
        if (!sees(row, neighbour, window.size())) continue;
        const int32_t id = window[static_cast<std::size_t>(neighbour)];
        if (id != kMaskId && id != kPadId) logit += 2 * std::cos(0.11 * (v + 1) * (id + 1));
      }
      logits.push_back(v == kMaskId ? -1e9 : options_.gain * logit);
    }
    return logits;
  }

  FormulaOptions options_;
  Head head_;
};

}  // namespace aios::test
