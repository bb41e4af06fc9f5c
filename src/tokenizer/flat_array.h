/// A constant array that is its own, or borrowed from a mapped file.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace aios::tokenizer {

template <typename T>
class FlatArray {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  FlatArray() = default;
  explicit FlatArray(std::vector<T> values) : own_(std::move(values)), view_(own_) {}
  /// Borrowed: valid as long as the mapping.
  explicit FlatArray(std::span<const T> values) : view_(values) {}
  FlatArray(FlatArray&& other) noexcept = default;  // a moved vector keeps its memory
  FlatArray& operator=(FlatArray&& other) noexcept = default;

  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return view_[i]; }
  /// For whoever fills an array of its own.
  [[nodiscard]] std::span<T> writable() noexcept { return own_; }
  [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }
  [[nodiscard]] const T* data() const noexcept { return view_.data(); }
  [[nodiscard]] std::span<const T> view() const noexcept { return view_; }

 private:
  std::vector<T> own_;
  std::span<const T> view_;
};

}  // namespace aios::tokenizer
