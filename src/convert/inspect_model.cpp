#include <filesystem>

#include "aios/error.h"
#include "aios/model_files.h"
#include "convert/metadata.h"
#include "engine/loaded_model.h"
#include "storage/sha256.h"
#include "storage/weight_loader.h"
#include "tensor/dtype.h"

namespace aios {

namespace fs = std::filesystem;

ModelSummary inspect_model(const std::string& directory) {
  const ModelSpec spec = read_model_spec(directory);
  const std::unique_ptr<WeightLoader> weights = WeightLoader::open(directory);
  ModelSummary summary;
  summary.family = spec.family;
  summary.format = weights->format();
  summary.modes = mode_names(spec);
  for (const TensorInfo& info : weights->tensors()) {
    int64_t num_elements = 1;
    for (const int64_t extent : info.shape) num_elements *= extent;
    summary.num_parameters += num_elements;
    const auto num_bytes = static_cast<int64_t>(info.num_bytes);
    summary.num_bytes += num_bytes;
    summary.tensors.push_back({.name = info.name,
                               .shape = info.shape,
                               .dtype = std::string(dtype_name(info.dtype)),
                               .quant_type = std::string(quant_type_name(info.format.type)),
                               .group_size = info.format.group_size,
                               .num_bytes = num_bytes});
  }
  return summary;
}

VerifyReport verify_model(const std::string& directory, const ProgressCallback& progress) {
  const std::unique_ptr<WeightLoader> weights = WeightLoader::open(directory);
  const auto checksums = read_checksums(directory);
  VerifyReport report;
  report.num_tensors = std::ssize(weights->tensors());
  int64_t tensor_bytes = 0;
  for (const TensorInfo& info : weights->tensors()) {
    tensor_bytes += static_cast<int64_t>(info.num_bytes);
  }
  if (checksums) {
    for (const auto& [name, digest] : *checksums) {
      const fs::path path = fs::path(directory) / name;
      if (!fs::exists(path)) throw FormatError("'" + path.string() + "' is missing");
      report.num_bytes += static_cast<int64_t>(fs::file_size(path));
    }
  } else {
    report.num_bytes = tensor_bytes;
  }
  const int64_t total = tensor_bytes + (checksums ? report.num_bytes : 0);  // read twice
  int64_t done = 0;
  const auto advance = [&](int64_t num_bytes) {
    done += num_bytes;
    if (progress) progress(done, total);
  };
  weights->verify();  // names the page that is wrong
  advance(tensor_bytes);
  if (!checksums) return report;
  for (const auto& [name, digest] : *checksums) {
    const std::string path = fs::path(directory) / name;
    if (sha256_of_file(path, advance) == digest) continue;
    throw FormatError("'" + path +
                      "' is not what was written: its SHA-256 differs from metadata.json");
  }
  return report;
}

}  // namespace aios
