#include "convert/weight_quantizer.h"

#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

/// Statistics are gathered for as many matrices at once as fit this, in file order.
constexpr int64_t kMaxStatisticsBytes = int64_t{1} << 30;

}  // namespace

WeightQuantizer::WeightQuantizer(const WeightLoader& weights, QuantizationPlan plan,
                                 Rounding rounding, const Calibration* calibration,
                                 CancellationToken cancellation)
    : weights_(weights),
      plan_(std::move(plan)),
      rounding_(rounding),
      calibration_(calibration),
      cancellation_(std::move(cancellation)) {}

TensorView WeightQuantizer::quantize(const std::string& name, const TensorView& tensor) {
  try {
    const std::vector<float> values = to_floats(tensor);
    const QuantizeOptions options{
        .search = rounding_ == Rounding::kNearest ? GridSearch::kRange : GridSearch::kLeastSquares,
        .inputs = statistics_of(name)};
    QuantizedWeights rounded = ArrowQuant(pool_).quantize(values, tensor.shape[0], tensor.shape[1],
                                                          plan_.at(name), options);
    const QuantizationError error = ArrowQuant(pool_).error(values, rounded.matrix());
    error_.squared_error += error.squared_error;
    error_.squared_weights += error.squared_weights;
    return make_view(std::move(rounded), tensor.dtype);
  } catch (const FormatError& error) {
    throw FormatError("tensor '" + name + "': " + error.what());
  }
}

bool WeightQuantizer::uses_covariance(const std::string& name) const {
  return rounding_ == Rounding::kGptq && plan_.at(name).type != QuantType::kInt8;
}

const InputStatistics* WeightQuantizer::statistics_of(const std::string& name) {
  if (calibration_ == nullptr || rounding_ == Rounding::kNearest) return nullptr;
  auto found = statistics_.find(name);
  if (found == statistics_.end()) {
    statistics_.clear();
    statistics_ = calibration_->collect(next_batch(name), uses_covariance(name), cancellation_);
    found = statistics_.find(name);
  }
  return found == statistics_.end() ? nullptr : &found->second;
}

/// The tensor and those after it in the file that are quantised alike, as many as fit.
std::set<std::string> WeightQuantizer::next_batch(const std::string& name) const {
  std::set<std::string> batch;
  int64_t num_bytes = 0;
  bool reached = false;
  for (const TensorInfo& info : weights_.tensors()) {
    reached = reached || info.name == name;
    if (!reached || !wants(info.name) || uses_covariance(info.name) != uses_covariance(name)) {
      continue;
    }
    const int64_t depth = info.shape[1];
    num_bytes += depth * int64_t{sizeof(float)} * (uses_covariance(name) ? depth : 1);
    if (num_bytes > kMaxStatisticsBytes && !batch.empty()) break;
    batch.insert(info.name);
  }
  return batch;
}

}  // namespace aios
