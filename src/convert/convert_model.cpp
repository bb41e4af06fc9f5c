#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "aios/error.h"
#include "aios/model_files.h"
#include "base/suggestion.h"
#include "convert/atomic_directory.h"
#include "convert/metadata.h"
#include "convert/model_directory.h"
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

/// @returns nothing for `keep`
std::optional<DType> parse_dtype(const std::string& name) {
  if (name == "keep") return std::nullopt;
  if (name == "f32" || name == "bf16" || name == "f16") return dtype_from_name(name);
  const std::vector<std::string> known = {"keep", "f32", "bf16", "f16"};
  throw ConfigError("dtype must be one of keep|f32|bf16|f16, not '" + name + "'" +
                    suggestion(name, known));
}

bool is_float(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kBF16 ||
         dtype == DType::kF16;
}

/// The type a tensor gets: matrices the one asked for; vectors (norms, biases) f32, as they weigh
/// nothing and rounding them would cost accuracy; integers and masks stay.
DType output_dtype(const TensorView& tensor, std::optional<DType> wanted) {
  if (!wanted || !is_float(tensor.dtype)) return tensor.dtype;
  return tensor.shape.size() >= 2 ? *wanted : DType::kF32;
}

TensorView convert_tensor(const std::string& name, const TensorView& tensor, DType dtype) {
  if (dtype == tensor.dtype) return tensor;
  const std::vector<float> values = to_floats(tensor);
  const auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * dtype_size(dtype));
  if (dtype == DType::kF32) {
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(bytes->data()));
  } else {
    auto* halves = reinterpret_cast<uint16_t*>(bytes->data());
    const auto narrow = dtype == DType::kBF16 ? float_to_bf16 : float_to_f16;
    constexpr float kMaxF16 = 65504.0F;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (dtype == DType::kF16 && std::isfinite(values[i]) && std::abs(values[i]) > kMaxF16) {
        throw FormatError("tensor '" + name + "' holds " + std::to_string(values[i]) +
                          ", which f16 cannot; convert to bf16 instead");
      }
      halves[i] = narrow(values[i]);
    }
  }
  return {dtype, tensor.shape, bytes->data(), bytes->size(), bytes};
}

/// One conversion, step by step.
class Conversion {
 public:
  Conversion(const std::string& input, const ConvertOptions& options, const fs::path& output)
      : input_(input), options_(options), output_(output) {
    metadata_.source_name = fs::weakly_canonical(input_).filename();
    metadata_.dtype = options.dtype;
  }

  ConvertReport run() {
    const std::unique_ptr<WeightLoader> weights = WeightLoader::open(input_.string());
    metadata_.source_format = weights->format();
    write_weights(*weights, parse_dtype(options_.dtype));
    for (const std::string& name : present_model_files(input_)) copy_file(name);
    report_.output_bytes += static_cast<int64_t>(fs::file_size(output_ / kWeightsFile));
    write_metadata();
    return report_;
  }

 private:
  void write_weights(const WeightLoader& weights, std::optional<DType> dtype) {
    for (const TensorInfo& info : weights.tensors()) {
      report_.input_bytes += static_cast<int64_t>(info.num_bytes);
    }
    ParquetModelWriter writer((output_ / kWeightsFile).string());
    int64_t done_bytes = 0;
    int64_t weight_bytes = 0;
    for (const TensorInfo& info : weights.tensors()) {
      check_cancelled();
      const TensorView tensor = weights.tensor(info.name);
      const TensorView converted = convert_tensor(info.name, tensor, output_dtype(tensor, dtype));
      writer.add(info.name, converted);
      ++report_.num_tensors;
      report_.num_parameters += tensor.num_elements();
      weight_bytes += static_cast<int64_t>(converted.num_bytes);
      done_bytes += static_cast<int64_t>(info.num_bytes);
      if (options_.progress) options_.progress(done_bytes, report_.input_bytes);
    }
    writer.finish();
    constexpr double kBitsPerByte = 8;
    report_.bits_per_weight = kBitsPerByte * static_cast<double>(weight_bytes) /
                              static_cast<double>(std::max<int64_t>(report_.num_parameters, 1));
  }

  void copy_file(const std::string& name) {
    check_cancelled();
    report_.output_bytes += copy_model_file(input_, name, output_);
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

  fs::path input_;
  const ConvertOptions& options_;
  fs::path output_;
  ModelMetadata metadata_;
  ConvertReport report_;
};

}  // namespace

ConvertReport convert_model(const std::string& input_directory, const std::string& output_directory,
                            const ConvertOptions& options) {
  parse_dtype(options.dtype);
  try {
    check_output(input_directory, output_directory, options.overwrite);
    // A model that cannot run is not converted: this checks its configuration, tensors, tokenizer.
    const LoadedModel model(input_directory, EngineConfig{.num_threads = 1});
    AtomicDirectory directory(output_directory);
    const ConvertReport report = Conversion(input_directory, options, directory.partial()).run();
    directory.commit();
    return report;
  } catch (const fs::filesystem_error& error) {
    throw IoError("cannot convert to '" + output_directory + "': " + error.what());
  }
}

}  // namespace aios
