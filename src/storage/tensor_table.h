/// The tensors of an opened file: names, types, shapes, and their sizes, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/weight_loader.h"

namespace aios {

/// Bytes of a row-major tensor of `shape`.
/// @param what names the tensor and its file in the message
/// @throws FormatError if an extent is negative or the size cannot be counted in 63 bits; extents
/// of zero do not hide an overflow of the others
[[nodiscard]] std::size_t checked_num_bytes(std::span<const int64_t> shape, DType dtype,
                                            const std::string& what);

/// @throws FormatError if `name`, of a tensor of `path`, is not UTF-8: no file can hold it then,
/// and no message show it
void check_name(std::string_view name, const std::string& path);

/// `bytes` as a tensor, kept alive by `owner`. Kernels read elements at their natural alignment, so
/// bytes that lie off it are copied to an aligned buffer; all others are viewed where they are.
[[nodiscard]] TensorView make_view(const TensorInfo& info, std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner);

/// Tensors in the order of their file, found by name.
class TensorTable {
 public:
  /// @param path the file, for messages
  explicit TensorTable(std::string path) : path_(std::move(path)) {}

  /// @throws FormatError if there is one of that name already
  void add(TensorInfo info);
  [[nodiscard]] bool contains(std::string_view name) const noexcept {
    return index_.find(name) != index_.end();
  }
  /// @throws FormatError if there is no such tensor
  [[nodiscard]] std::size_t index_of(std::string_view name) const;
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

}  // namespace aios
