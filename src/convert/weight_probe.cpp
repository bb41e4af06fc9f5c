#include "convert/weight_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>

#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"

namespace aios {
namespace {

constexpr std::array kTypes = {QuantType::kInt2, QuantType::kInt4, QuantType::kInt8};

/// A checkpoint with one tensor in another form.
class ReplacedTensor final : public WeightLoader {
 public:
  ReplacedTensor(const WeightLoader& base, std::string name, TensorView tensor)
      : base_(base), name_(std::move(name)), tensor_(std::move(tensor)) {}

  [[nodiscard]] std::string_view format() const noexcept override { return base_.format(); }
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept override {
    return base_.tensors();
  }
  [[nodiscard]] bool contains(std::string_view name) const noexcept override {
    return base_.contains(name);
  }
  [[nodiscard]] TensorView tensor(std::string_view name) const override {
    return name == name_ ? tensor_ : base_.tensor(name);
  }
  void verify() const override { base_.verify(); }

 private:
  const WeightLoader& base_;
  std::string name_;
  TensorView tensor_;
};

double bits_of(const QuantizedFormat& format, int64_t rows, int64_t depth) {
  constexpr double kBitsPerByte = 8;
  const int64_t bytes = format.code_bytes(rows, depth) + format.block_bytes(rows, depth) +
                        format.scale_bytes(rows, depth);
  return kBitsPerByte * static_cast<double>(bytes) / static_cast<double>(rows * depth);
}

/// What a width of a matrix costs beyond its first; more than `most` if it is beyond the budget.
std::size_t units_beyond_first(const ProbedWeight& weight, std::size_t width, double unit,
                               std::size_t most) {
  if (width == 0) return 0;
  const double bits = static_cast<double>(weight.num_parameters) *
                      (weight.widths[width].bits - weight.widths[0].bits);
  if (bits > unit * static_cast<double>(most)) return most + 1;
  return static_cast<std::size_t>(std::ceil(bits / unit));
}

}  // namespace

WeightProbe::WeightProbe(const LoadedModel& model, const WeightLoader& weights,
                         const Calibration& calibration)
    : model_(model),
      weights_(weights),
      calibration_(calibration),
      pool_(std::make_shared<ThreadPool>()),
      backend_(make_cpu_backend(pool_, choose_isa(), ComputeType::kAuto)) {}

double WeightProbe::loss_with(const std::string& name, const TensorView& tensor) const {
  const ReplacedTensor weights(weights_, name, tensor);
  const InferenceCore core(model_.spec(), weights, backend_);
  return calibration_.loss(core);
}

std::vector<ProbedWeight> WeightProbe::run(const ProgressCallback& progress,
                                           const CancellationToken& cancellation) const {
  const std::map<std::string, WeightRole> roles = weight_roles(model_.spec(), weights_);
  std::set<std::string> names;
  for (const auto& [name, role] : roles) names.insert(name);
  const auto statistics = calibration_.collect(names, false, cancellation);
  const double loss = calibration_.loss(model_.core());
  std::vector<ProbedWeight> probed;
  for (const auto& [name, role] : roles) {
    if (cancellation.cancelled()) throw CancelledError("probing was cancelled");
    const TensorView tensor = weights_.tensor(name);
    const std::vector<float> values = to_floats(tensor);
    const auto found = statistics.find(name);
    const InputStatistics* const inputs = found == statistics.end() ? nullptr : &found->second;
    ProbedWeight& weight = probed.emplace_back(ProbedWeight{name, role, tensor.num_elements(), {}});
    for (const QuantType type : kTypes) {
      const QuantizedFormat format{type, default_group_size(type)};
      QuantizedWeights rounded = ArrowQuant(*pool_).quantize(
          values, tensor.shape[0], tensor.shape[1], format, {.inputs = inputs});
      const QuantizationError error = ArrowQuant(*pool_).error(
          values, rounded.matrix(),
          inputs == nullptr ? std::span<const float>{} : std::span(inputs->second_moments));
      const double changed = loss_with(name, make_view(std::move(rounded), tensor.dtype));
      weight.widths.push_back({format, bits_of(format, tensor.shape[0], tensor.shape[1]),
                               error.relative(), changed - loss});
    }
    if (progress) progress(std::ssize(probed), std::ssize(roles));
  }
  return probed;
}

/// A knapsack: the widths of all matrices within a budget of bits, of least loss together. Bits are
/// counted in whole units, rounded up, so the budget is kept.
QuantizationPlan plan_for_bits(const std::vector<ProbedWeight>& weights, double target_bits) {
  constexpr std::size_t kUnits = 8192;
  constexpr double kImpossible = std::numeric_limits<double>::infinity();
  double num_parameters = 0;
  double least_bits = 0;
  for (const ProbedWeight& weight : weights) {
    num_parameters += static_cast<double>(weight.num_parameters);
    least_bits += static_cast<double>(weight.num_parameters) * weight.widths.front().bits;
  }
  const double unit = (target_bits * num_parameters - least_bits) / kUnits;
  if (unit < 0) {
    char least[32];
    std::snprintf(least, sizeof(least), "%.2f", least_bits / num_parameters);
    throw ConfigError("target_bits is less than the " + std::string(least) +
                      " bits that all weights at int2 take");
  }
  // losses[u]: of the matrices until now, when at most u units beyond int2 are spent.
  std::vector<double> losses(kUnits + 1, 0.0);
  std::vector<std::vector<uint8_t>> choices;
  for (const ProbedWeight& weight : weights) {
    std::vector<double> next(kUnits + 1, kImpossible);
    std::vector<uint8_t>& choice = choices.emplace_back(kUnits + 1, uint8_t{0});
    for (std::size_t i = 0; i < weight.widths.size(); ++i) {
      const std::size_t cost = units_beyond_first(weight, i, unit, kUnits);
      const double loss = std::max(0.0, weight.widths[i].loss_change);
      for (std::size_t u = cost; u <= kUnits; ++u) {
        if (losses[u - cost] + loss >= next[u]) continue;
        next[u] = losses[u - cost] + loss;
        choice[u] = static_cast<uint8_t>(i);
      }
    }
    losses = std::move(next);
  }
  QuantizationPlan plan;
  std::size_t left = kUnits;
  for (std::size_t i = weights.size(); i-- > 0;) {
    const std::size_t width = choices[i][left];
    plan[weights[i].name] = weights[i].widths[width].format;
    left -= units_beyond_first(weights[i], width, unit, kUnits);
  }
  return plan;
}

}  // namespace aios
