/// Tensors of one Parquet model file, V1 or V2, viewed in its mapping.
///
/// Opening reads the footer; a V2 file has a directory of its rows there. Files without one, V1
/// included, have their small columns read as well. Data is zero-copy where a value lies plain and
/// naturally aligned in the file, as V2 stores it; compressed or encoded values are decoded when
/// they are asked for, a row group at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/weight_loader.h"

namespace aios {

class ParquetReader final : public WeightLoader {
 public:
  /// @throws IoError, FormatError
  explicit ParquetReader(const std::string& path);
  ~ParquetReader() override;

  [[nodiscard]] std::string_view format() const noexcept override;
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept override;
  [[nodiscard]] bool contains(std::string_view name) const noexcept override;
  [[nodiscard]] TensorView tensor(std::string_view name) const override;
  void verify() const override;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
