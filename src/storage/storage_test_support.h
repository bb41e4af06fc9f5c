/// What the tests of this room share: a folder of their own, files, tensors, messages of errors.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor_view.h"

namespace aios::storage_test {

inline std::filesystem::path folder_of_current_test() {
  const auto& test = *::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test.test_suite_name()) + "." + test.name();
  std::replace(name.begin(), name.end(), '/', '_');
  return std::filesystem::path(::testing::TempDir()) / (name + "." + std::to_string(::getpid()));
}

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

  std::filesystem::path folder_ = folder_of_current_test();
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `header_size` as safetensors stores it, then `rest`.
inline std::string with_header_size(uint64_t header_size, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&header_size), sizeof(header_size)) + rest;
}

/// A safetensors file of this header and the data bytes 0, 1, 2, ...
inline std::string safetensors_bytes(const std::string& header, std::size_t data_size) {
  std::string data(data_size, '\0');
  for (std::size_t i = 0; i < data_size; ++i) data[i] = static_cast<char>(i);
  return with_header_size(header.size(), header + data);
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
  return std::equal(a.data, a.data + a.num_bytes, b.data, b.data + b.num_bytes);
}

/// Are all bytes of `part` inside a mapping of `path` into this process?
inline bool lies_in_mapping(std::span<const std::byte> part, const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  const auto first = reinterpret_cast<std::uintptr_t>(part.data());
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (!line.ends_with(path) || std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2) continue;
    if (first >= begin && first + part.size() <= end) return true;
  }
  return false;
}

inline bool lies_in_mapping(const TensorView& view, const std::string& path) {
  return lies_in_mapping(std::span(view.data, view.num_bytes), path);
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
