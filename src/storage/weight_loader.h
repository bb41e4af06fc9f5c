/// Named tensors of a model directory, zero-copy and lazy.
///
/// `open` touches footers and headers only; a tensor's bytes are touched when somebody reads them.
/// Views point into the mapping and keep it alive. Immutable and thread-safe after `open`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor_view.h"

namespace aios {

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::size_t num_bytes = 0;  ///< as stored: of a quantised tensor all its parts
  QuantizedFormat format{};   ///< of a quantised tensor, else kNone
};

class WeightLoader {
 public:
  virtual ~WeightLoader() = default;

  /// `weights.parquet` or `weights-00001-of-N.parquet` (V2 or V1), else `model.safetensors` or
  /// `model.safetensors.index.json` with its shards; or one such file by its path.
  /// @throws IoError, FormatError
  static std::unique_ptr<WeightLoader> open(const std::string& path);

  [[nodiscard]] virtual std::string_view format() const noexcept = 0;  ///< `parquet_v2`, ...
  [[nodiscard]] virtual const std::vector<TensorInfo>& tensors() const noexcept = 0;
  [[nodiscard]] virtual bool contains(std::string_view name) const noexcept = 0;
  /// @throws FormatError if there is no such tensor, its header lies about its bytes, or a scale of
  /// a quantised tensor is no finite number above 0
  [[nodiscard]] virtual TensorView tensor(std::string_view name) const = 0;
  /// Checks every page checksum the format has; touches all bytes. @throws FormatError
  virtual void verify() const = 0;
};

}  // namespace aios
