/// Tensors spread over several files, found as if they were in one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/tensor_table.h"
#include "storage/weight_loader.h"

namespace aios {

class MultiFileLoader final : public WeightLoader {
 public:
  /// @param path what stands for all files in messages: the index, or the folder
  explicit MultiFileLoader(std::string path) : table_(std::move(path)) {}

  /// Adds a file and all its tensors. @throws FormatError if another file has one of the same name
  void add_file(std::unique_ptr<WeightLoader> file);
  /// Adds a file of which only `names` count. @throws FormatError if it lacks one of them
  void add_file(std::unique_ptr<WeightLoader> file, const std::vector<std::string>& names);

  [[nodiscard]] std::string_view format() const noexcept override;
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept override {
    return table_.tensors();
  }
  [[nodiscard]] bool contains(std::string_view name) const noexcept override {
    return table_.contains(name);
  }
  [[nodiscard]] TensorView tensor(std::string_view name) const override;
  void verify() const override;

 private:
  TensorTable table_;
  std::vector<std::unique_ptr<WeightLoader>> files_;
  std::vector<const WeightLoader*> file_of_;  // for each tensor of the table
};

}  // namespace aios
