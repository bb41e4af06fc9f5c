#include "convert/metadata.h"

#include <nlohmann/json.hpp>

#include "aios/engine.h"
#include "aios/error.h"
#include "engine/json_file.h"

namespace aios {

std::string to_json_text(const ModelMetadata& metadata) {
  const nlohmann::ordered_json json = {
      {"format_version", ModelMetadata::kFormatVersion},
      {"engine", "aios " + std::string(version())},
      {"source", {{"name", metadata.source_name}, {"format", metadata.source_format}}},
      {"quantization", metadata.quantization},
      {"dtype", metadata.dtype},
      {"num_tensors", metadata.num_tensors},
      {"num_parameters", metadata.num_parameters},
      {"sha256", metadata.checksums},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string read_quantization(const std::string& directory) {
  const std::string path = directory + "/metadata.json";
  const auto json = read_json_file(path);
  return json ? json_value(*json, "quantization", std::string("none"), path) : "none";
}

std::optional<std::map<std::string, std::string>> read_checksums(const std::string& directory) {
  using Checksums = std::map<std::string, std::string>;
  const std::string path = directory + "/metadata.json";
  const auto json = read_json_file(path);
  if (!json) return std::nullopt;
  const int64_t format = json_value(*json, "format_version", int64_t{0}, path);
  if (format != ModelMetadata::kFormatVersion) {
    throw FormatError(path + ": format_version " + std::to_string(format) +
                      " is not known; this program reads " +
                      std::to_string(ModelMetadata::kFormatVersion));
  }
  const auto checksums = json_value(*json, "sha256", Checksums(), path);
  for (const auto& [name, digest] : checksums) {
    if (name.starts_with('/') || name.find("..") != std::string::npos) {
      throw FormatError(path + ": sha256 names '" + name + "', outside of the directory");
    }
  }
  return checksums;
}

}  // namespace aios
