/// A file mapped read-only into memory. Shared owner: tensors keep the mapping alive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace aios {

class MappedFile {
 public:
  /// @throws IoError naming the path and the cause
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  MappedFile(std::string path, const std::byte* data, std::size_t size);
  std::string path_;
  const std::byte* data_;
  std::size_t size_;
};

}  // namespace aios
