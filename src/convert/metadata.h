/// metadata.json of a model directory: the engine's own notes, with the other files' checksums.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace aios {

struct ModelMetadata {
  static constexpr int64_t kFormatVersion = 2;

  std::string source_name;            ///< name of the directory that was converted
  std::string source_format;          ///< `safetensors`, `parquet_v1`, `parquet_v2`
  std::string dtype;                  ///< as asked for: `keep`, `bf16`, ...
  std::string quantization = "none";  ///< `int8`, `int4`, `int2`: of the layers' matrices; `mixed`
  int64_t num_tensors = 0;
  int64_t num_parameters = 0;
  /// SHA-256 in hexadecimal, by path within the directory.
  std::map<std::string, std::string> checksums;
};

/// Text of metadata.json.
[[nodiscard]] std::string to_json_text(const ModelMetadata& metadata);

/// `quantization` of a directory's metadata.json; `none` without one. @throws IoError, FormatError
[[nodiscard]] std::string read_quantization(const std::string& directory);

/// Checksums from the metadata.json of a directory, or nothing if it has none.
/// @throws IoError, FormatError (malformed, a later format version, a path out of the directory)
[[nodiscard]] std::optional<std::map<std::string, std::string>> read_checksums(
    const std::string& directory);

}  // namespace aios
