#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "aios/model_files.h"
#include "base/suggestion.h"
#include "convert/atomic_directory.h"
#include "convert/calibration.h"
#include "convert/loss_comparison.h"
#include "convert/metadata.h"
#include "convert/model_directory.h"
#include "convert/quantization_policy.h"
#include "convert/tensor_conversion.h"
#include "convert/weight_probe.h"
#include "convert/weight_quantizer.h"
#include "engine/loaded_model.h"
#include "storage/atomic_file.h"
#include "storage/parquet_writer.h"
#include "storage/sha256.h"
#include "storage/weight_loader.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeightsFile = "weights.parquet";
constexpr int32_t kDefaultGroupSize = -1;  // of ConvertOptions

/// What `--dtype` asks for: a type for elements, a quantisation, or neither (`keep`).
struct TargetType {
  std::optional<DType> dtype;
  QuantizedFormat format;
};

void check_target_bits(const ConvertOptions& options) {
  if (!(options.target_bits > 0)) {
    throw ConfigError("target_bits must be above 0, not " + std::to_string(options.target_bits));
  }
  if (options.dtype != "keep" || options.group_size != kDefaultGroupSize) {
    throw ConfigError("target_bits gives each matrix its type: leave dtype and group_size out");
  }
  if (options.calibration_text.empty()) throw ConfigError("target_bits needs a calibration text");
}

TargetType parse_target(const ConvertOptions& options) {
  const std::vector<std::string> known = {"keep", "f32", "bf16", "f16", "int8", "int4", "int2"};
  const std::string& name = options.dtype;
  if (std::ranges::find(known, name) == known.end()) {
    throw ConfigError("dtype must be one of keep|f32|bf16|f16|int8|int4|int2, not '" + name + "'" +
                      suggestion(name, known));
  }
  TargetType target{.dtype = dtype_from_name(name), .format = {}};
  if (options.target_bits != 0) {
    check_target_bits(options);
    return target;
  }
  const auto type = quant_type_from_name(name);
  if (!type) {
    if (options.group_size == kDefaultGroupSize && options.calibration_text.empty() &&
        !options.rounding) {
      return target;
    }
    throw ConfigError(
        "group_size, rounding and calibration are for dtype int8, int4 and int2, not " + name);
  }
  if (options.rounding == Rounding::kGptq && options.calibration_text.empty()) {
    throw ConfigError("rounding gptq needs a calibration text");
  }
  target.format = {*type, options.group_size == kDefaultGroupSize ? default_group_size(*type)
                                                                  : options.group_size};
  if (!target.format.has_valid_group_size()) {
    throw ConfigError("group_size must be 32, 64, 128, or 0 for whole rows, not " +
                      std::to_string(options.group_size));
  }
  return target;
}

/// One conversion, step by step.
class Conversion {
 public:
  Conversion(const LoadedModel& model, const ConvertOptions& options, const fs::path& output)
      : model_(model),
        input_(model.directory()),
        options_(options),
        output_(output),
        target_(parse_target(options)) {
    metadata_.source_name = fs::weakly_canonical(input_).filename();
    metadata_.dtype = options.dtype;
    metadata_.quantization =
        options.target_bits > 0 ? "mixed" : quant_type_name(target_.format.type);
    if (options.dtype == "keep" && options.target_bits == 0) {
      metadata_.quantization = read_quantization(input_);
    }
  }

  ConvertReport run() {
    const std::unique_ptr<WeightLoader> weights = WeightLoader::open(input_.string());
    metadata_.source_format = weights->format();
    if (options_.dtype != "keep" || options_.target_bits > 0) require_floats(*weights);
    write_weights(*weights);
    for (const std::string& name : present_model_files(input_)) copy_file(name);
    report_.output_bytes = static_cast<int64_t>(fs::file_size(output_ / kWeightsFile));
    write_metadata();
    return report_;
  }

 private:
  void write_weights(const WeightLoader& weights) {
    const Rounding rounding = options_.rounding.value_or(
        options_.calibration_text.empty() ? Rounding::kLeastSquares : Rounding::kGptq);
    std::optional<Calibration> calibration;
    if (!options_.calibration_text.empty()) calibration.emplace(model_, options_.calibration_text);
    QuantizationPlan plan;
    if (target_.format.type != QuantType::kNone) {
      plan = plan_quantization(weight_roles(model_.spec(), weights), target_.format);
    } else if (options_.target_bits > 0) {
      const WeightProbe probe(model_, weights, *calibration);
      plan = plan_for_bits(probe.run({}, options_.cancellation), options_.target_bits);
    }
    WeightQuantizer quantizer(weights, std::move(plan), rounding,
                              calibration ? &*calibration : nullptr, options_.cancellation);
    for (const TensorInfo& info : weights.tensors()) {
      report_.input_bytes += static_cast<int64_t>(info.num_bytes);
    }
    ParquetModelWriter writer((output_ / kWeightsFile).string());
    int64_t done_bytes = 0;
    for (const TensorInfo& info : weights.tensors()) {
      check_cancelled();
      const TensorView tensor = weights.tensor(info.name);
      const TensorView converted = convert(info.name, tensor, quantizer);
      writer.add(info.name, converted);
      ++report_.num_tensors;
      report_.num_parameters += tensor.num_elements();
      weight_bytes_ += converted.num_bytes + converted.blocks.size() + converted.scales.size();
      done_bytes += static_cast<int64_t>(info.num_bytes);
      if (options_.progress) options_.progress(done_bytes, report_.input_bytes);
    }
    writer.finish();
    constexpr double kBitsPerByte = 8;
    report_.bits_per_weight = kBitsPerByte * static_cast<double>(weight_bytes_) /
                              static_cast<double>(std::max<int64_t>(report_.num_parameters, 1));
    report_.weight_error = quantizer.error().relative();
  }

  TensorView convert(const std::string& name, const TensorView& tensor,
                     WeightQuantizer& quantizer) const {
    if (tensor.is_quantized()) return tensor;
    if (quantizer.wants(name)) return quantizer.quantize(name, tensor);
    return convert_tensor(name, tensor, output_dtype(tensor, target_.dtype));
  }

  void copy_file(const std::string& name) {
    check_cancelled();
    copy_model_file(input_, name, output_);
    metadata_.checksums[name] = sha256_of_file(output_ / name);
  }

  void write_metadata() {
    metadata_.num_tensors = report_.num_tensors;
    metadata_.num_parameters = report_.num_parameters;
    metadata_.checksums[kWeightsFile] =
        sha256_of_file(output_ / kWeightsFile, [this](int64_t) { check_cancelled(); });
    AtomicFile file(output_ / "metadata.json");
    file.write(to_json_text(metadata_));
    file.commit();
  }

  void check_cancelled() const {
    if (options_.cancellation.cancelled()) throw CancelledError("conversion was cancelled");
  }

  const LoadedModel& model_;
  fs::path input_;
  const ConvertOptions& options_;
  fs::path output_;
  TargetType target_;
  std::size_t weight_bytes_ = 0;
  ModelMetadata metadata_;
  ConvertReport report_;
};

}  // namespace

ConvertReport convert_model(const std::string& input_directory, const std::string& output_directory,
                            const ConvertOptions& options) {
  (void)parse_target(options);
  try {
    check_output(input_directory, output_directory, options.overwrite);
    // A model that cannot run is not converted: this checks its configuration, tensors, tokenizer.
    const LoadedModel model(input_directory, EngineConfig{});
    AtomicDirectory directory(output_directory);
    ConvertReport report = Conversion(model, options, directory.partial()).run();
    directory.commit();
    if (!options.eval_text.empty()) {
      report.losses = compare_losses(input_directory, output_directory, options);
    }
    return report;
  } catch (const fs::filesystem_error& error) {
    throw IoError("cannot convert to '" + output_directory + "': " + error.what());
  }
}

}  // namespace aios
