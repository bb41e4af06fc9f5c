/// How sensitive a network is to the rounding of each of its matrices.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aios/model_files.h"
#include "convert/calibration.h"
#include "convert/quantization_policy.h"
#include "model/weight_roles.h"
#include "storage/weight_loader.h"

namespace aios {

/// One matrix, rounded to each width while all others stay as they are.
struct ProbedWeight {
  struct Width {
    QuantizedFormat format;
    double bits = 0;          ///< of a weight, with scales and padding
    double output_error = 0;  ///< relative squared error of W x, inputs taken as independent
    double loss_change = 0;   ///< as `Calibration::loss` counts it
  };
  std::string name;
  WeightRole role;
  int64_t num_parameters = 0;
  std::vector<Width> widths;  ///< 2, 4 and 8 bits
};

class WeightProbe {
 public:
  /// @param calibration of the model whose weights these are; both outlive this
  WeightProbe(const LoadedModel& model, const WeightLoader& weights,
              const Calibration& calibration);

  /// @param progress in matrices
  /// @throws FormatError if a matrix cannot be quantised, CancelledError
  [[nodiscard]] std::vector<ProbedWeight> run(const ProgressCallback& progress,
                                              const CancellationToken& cancellation) const;

 private:
  [[nodiscard]] double loss_with(const std::string& name, const TensorView& tensor) const;

  const LoadedModel& model_;
  const WeightLoader& weights_;
  const Calibration& calibration_;
  std::shared_ptr<ThreadPool> pool_;
  std::shared_ptr<Backend> backend_;  // of the networks that are tried
};

/// The plan of least loss whose average is at most `target_bits` of a weight. Losses of single
/// matrices are added up. @throws ConfigError if 2 bits are more than the target
[[nodiscard]] QuantizationPlan plan_for_bits(const std::vector<ProbedWeight>& weights,
                                             double target_bits);

}  // namespace aios
