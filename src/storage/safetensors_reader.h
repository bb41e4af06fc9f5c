/// Tensors of one safetensors file, viewed in its mapping.
///
/// The format allows data at any byte; a tensor that is misaligned for its type is copied when it
/// is asked for, all others are zero-copy.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "storage/tensor_table.h"
#include "storage/weight_loader.h"

namespace aios {

class SafetensorsReader final : public WeightLoader {
 public:
  /// @throws IoError, FormatError
  explicit SafetensorsReader(const std::string& path);

  [[nodiscard]] std::string_view format() const noexcept override { return "safetensors"; }
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept override {
    return table_.tensors();
  }
  [[nodiscard]] bool contains(std::string_view name) const noexcept override {
    return table_.contains(name);
  }
  [[nodiscard]] TensorView tensor(std::string_view name) const override;
  /// The format has no checksums, and its header was checked when it was opened.
  void verify() const override {}

 private:
  std::shared_ptr<const MappedFile> file_;
  TensorTable table_;
  std::vector<std::size_t> begins_;  // offset in the file of each tensor of the table
};

}  // namespace aios
