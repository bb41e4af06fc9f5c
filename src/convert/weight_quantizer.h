/// Rounds a checkpoint's matrices by a plan, with what calibration says of their inputs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "aios/model_files.h"
#include "convert/calibration.h"
#include "convert/quantization_policy.h"
#include "quant/arrow_quant.h"
#include "storage/weight_loader.h"

namespace aios {

/// Not thread-safe; its work is shared among threads.
class WeightQuantizer {
 public:
  /// @param plan empty: nothing is quantised
  /// @param calibration null without one; outlives this
  WeightQuantizer(const WeightLoader& weights, QuantizationPlan plan, Rounding rounding,
                  const Calibration* calibration, CancellationToken cancellation);

  [[nodiscard]] bool wants(const std::string& name) const { return plan_.contains(name); }
  /// The tensor `name` of the checkpoint, which the plan has.
  /// @throws FormatError if it cannot be quantised, CancelledError
  [[nodiscard]] TensorView quantize(const std::string& name, const TensorView& tensor);
  /// Of all tensors until now.
  [[nodiscard]] const QuantizationError& error() const noexcept { return error_; }

 private:
  const InputStatistics* statistics_of(const std::string& name);
  [[nodiscard]] std::set<std::string> next_batch(const std::string& name) const;
  [[nodiscard]] bool uses_covariance(const std::string& name) const;

  const WeightLoader& weights_;
  QuantizationPlan plan_;
  Rounding rounding_;
  const Calibration* calibration_;
  CancellationToken cancellation_;
  ThreadPool pool_;
  std::map<std::string, InputStatistics> statistics_;  // of the batch at hand
  QuantizationError error_;
};

}  // namespace aios
