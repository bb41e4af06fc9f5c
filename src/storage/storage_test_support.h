/// What the tests of this room share: a folder of their own, files, tensors, messages of errors.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor_view.h"

namespace aios::storage_test {

/// Each test has an empty folder, removed afterwards.
class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, std::string_view content) const {
    std::filesystem::remove(path(name));  // writing over a file makes some file systems flush it
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name()) +
       "_" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A tensor that owns a copy of `values`.
template <typename T>
TensorView tensor_of(DType dtype, std::vector<int64_t> shape, std::vector<T> values) {
  auto owned = std::make_shared<std::vector<T>>(std::move(values));
  return {dtype, std::move(shape), reinterpret_cast<const std::byte*>(owned->data()),
          owned->size() * sizeof(T), owned};
}

/// `count` bytes that no other `seed` gives.
inline std::vector<uint8_t> pattern(std::size_t count, uint32_t seed) {
  std::vector<uint8_t> bytes(count);
  uint32_t state = seed * 2654435761U + 1;
  for (uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<uint8_t>(state >> 24U);
  }
  return bytes;
}

inline bool same_bytes(const TensorView& a, const TensorView& b) {
  return a.num_bytes == b.num_bytes && std::memcmp(a.data, b.data, a.num_bytes) == 0;
}

/// The message of the `Error` that `call` throws; any other outcome says so.
template <typename Error, typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type of error: ") + error.what();
  }
  return "no error";
}

}  // namespace aios::storage_test
