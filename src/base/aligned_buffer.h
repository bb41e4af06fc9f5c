/// Heap memory on a 64-byte boundary, for data that SIMD kernels touch. Move-only owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace aios {

inline constexpr std::size_t kCacheLine = 64;

template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Uninitialised memory for `size` elements. @throws std::bad_alloc
  explicit AlignedBuffer(std::size_t size)
      : data_(static_cast<T*>(::operator new (num_bytes(size), std::align_val_t{kCacheLine}))),
        size_(size) {}

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<T> span() noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<const T> span() const noexcept { return {data(), size_}; }

 private:
  static std::size_t num_bytes(std::size_t size) {
    if (size > SIZE_MAX / sizeof(T)) throw std::bad_array_new_length();
    return size * sizeof(T);
  }
  struct Delete {
    void operator()(T* memory) const noexcept {
      ::operator delete (memory, std::align_val_t{kCacheLine});
    }
  };
  std::unique_ptr<T, Delete> data_;
  std::size_t size_ = 0;
};

}  // namespace aios
