/// Finds a network's tensors in a checkpoint, checks their shapes and hands them to the backend.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "model/model_spec.h"
#include "storage/weight_loader.h"

namespace aios {

/// The pattern with `{}` replaced by the layer's number.
[[nodiscard]] std::string layer_name(const std::string& pattern, int64_t layer);

/// The spec's names with the prefix that a checkpoint uses. @throws FormatError if none fits
[[nodiscard]] TensorNames resolve_names(TensorNames names, const WeightLoader& weights);

/// Lives while a model is loaded. All names are whole names without `.weight` and `.bias`. Missing
/// and mis-shaped tensors throw FormatError with the name, what was expected and what was found.
class WeightBinder {
 public:
  WeightBinder(const WeightLoader& weights, Backend& backend)
      : weights_(weights), backend_(backend) {}

  /// The spec's names with the prefix that this checkpoint uses. @throws FormatError if none fits
  [[nodiscard]] TensorNames resolve(TensorNames names) const {
    return resolve_names(std::move(names), weights_);
  }

  [[nodiscard]] bool has(const std::string& tensor) const { return weights_.contains(tensor); }
  /// Of several names that one tensor may have: the one it has here, else the first.
  [[nodiscard]] std::string first_present(const std::vector<std::string>& names) const;
  [[nodiscard]] DeviceTensorPtr tensor(const std::string& tensor, std::vector<int64_t> shape);
  /// `name.weight` [rows, columns]
  [[nodiscard]] DeviceTensorPtr matrix(const std::string& name, int64_t rows, int64_t columns);
  [[nodiscard]] Linear linear(const std::string& name, int64_t in_features, int64_t out_features,
                              bool has_bias);
  /// `name.weight` [size] and, in a LayerNorm, `name.bias`; or gamma and beta, as in Google's
  /// files.
  [[nodiscard]] Norm norm(const std::string& name, NormKind kind, int64_t size, double epsilon);

  /// @throws FormatError if the checkpoint has a tensor that nobody took and nobody ignores
  void refuse_extra_tensors(const std::vector<std::string>& ignored) const;

 private:
  const WeightLoader& weights_;
  Backend& backend_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace aios
