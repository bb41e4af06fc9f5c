/// Constant arrays one after the other in a file, each behind its size and on 64 bytes: what a
/// model saves of itself, and maps again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "aios/error.h"
#include "tokenizer/flat_array.h"

namespace aios::tokenizer {

inline constexpr std::size_t kBlockAlignment = 64;

class BlockWriter {
 public:
  template <typename T>
  void add(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const uint64_t size = values.size_bytes();
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    align();
    bytes_.append(reinterpret_cast<const char*>(values.data()), size);
    align();
  }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  void align() {
    bytes_.resize((bytes_.size() + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment);
  }

  std::string bytes_;
};

class BlockReader {
 public:
  /// @param bytes begins on 64 bytes, and outlives what is read
  explicit BlockReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// @throws FormatError unless `holds`
  static void require(bool holds) {
    if (!holds) throw FormatError("the saved tables are damaged");
  }

  /// The next array. @throws FormatError if there is none of this type
  template <typename T>
  [[nodiscard]] FlatArray<T> next() {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kBlockAlignment);
    uint64_t size = 0;
    require(bytes_.size() >= kBlockAlignment);
    std::memcpy(&size, bytes_.data(), sizeof(size));
    bytes_ = bytes_.subspan(kBlockAlignment);
    require(size <= bytes_.size() && size % sizeof(T) == 0);
    const std::span values(reinterpret_cast<const T*>(bytes_.data()), size / sizeof(T));
    const uint64_t padded = (size + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
    bytes_ = bytes_.subspan(std::min<uint64_t>(padded, bytes_.size()));
    return FlatArray<T>(values);
  }
  /// What is left to read.
  [[nodiscard]] std::span<const std::byte> rest() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace aios::tokenizer
