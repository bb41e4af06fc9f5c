#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "aios/error.h"
#include "aios/model_files.h"
#include "convert/atomic_directory.h"
#include "convert/model_directory.h"
#include "quant/arrow_quant.h"
#include "storage/safetensors_writer.h"
#include "storage/weight_loader.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeightsFile = "model.safetensors";

/// Quantised weights as the f32 that they stand for: a narrower type would round them again.
TensorView plain(const TensorView& tensor) {
  if (!tensor.is_quantized()) return tensor;
  const auto values =
      std::make_shared<const std::vector<float>>(ArrowQuant::dequantize(tensor.quantized_matrix()));
  const auto bytes = std::as_bytes(std::span(*values));
  return {DType::kF32, tensor.shape, bytes.data(), bytes.size(), values};
}

void write_weights(const std::string& input, const fs::path& path, const ExportOptions& options,
                   ConvertReport& report) {
  const std::unique_ptr<WeightLoader> weights = WeightLoader::open(input);
  std::vector<NamedTensor> tensors;
  for (const TensorInfo& info : weights->tensors()) {
    tensors.push_back({info.name, plain(weights->tensor(info.name))});
    ++report.num_tensors;
    report.num_parameters += tensors.back().tensor.num_elements();
    report.input_bytes += static_cast<int64_t>(info.num_bytes);
  }
  write_safetensors(path, tensors, [&](int64_t num_bytes) {
    if (options.cancellation.cancelled()) throw CancelledError("export was cancelled");
    if (options.progress) options.progress(num_bytes, report.input_bytes);
  });
  report.output_bytes = static_cast<int64_t>(fs::file_size(path));
  constexpr double kBitsPerByte = 8;
  report.bits_per_weight = kBitsPerByte * static_cast<double>(report.input_bytes) /
                           static_cast<double>(std::max<int64_t>(report.num_parameters, 1));
}

}  // namespace

ConvertReport export_model(const std::string& input_directory, const std::string& output_directory,
                           const ExportOptions& options) {
  try {
    check_output(input_directory, output_directory, options.overwrite);
    const std::vector<std::string> files = present_model_files(input_directory);
    if (std::find(files.begin(), files.end(), "config.json") == files.end()) {
      throw FormatError("'" + input_directory + "' has no config.json: it is no model directory");
    }
    AtomicDirectory directory(output_directory);
    ConvertReport report;
    write_weights(input_directory, directory.partial() / kWeightsFile, options, report);
    for (const std::string& name : files) {
      copy_model_file(input_directory, name, directory.partial());
    }
    directory.commit();
    return report;
  } catch (const fs::filesystem_error& error) {
    throw IoError("cannot export to '" + output_directory + "': " + error.what());
  }
}

}  // namespace aios
