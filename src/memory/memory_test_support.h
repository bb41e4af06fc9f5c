/// What the tests of this room share: a folder of their own, memories made from a number.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/memory.h"
#include "storage/storage_test_support.h"

namespace aios::memory_test {

inline constexpr int32_t kDimension = 16;

/// Each test has a name of a folder that is not there, removed afterwards.
class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test.test_suite_name()) + "." + test.name();
    std::replace(name.begin(), name.end(), '/', '_');
    folder_ = std::filesystem::path(testing::TempDir()) / (name + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string store() const { return path("store"); }

  std::filesystem::path folder_;
};

/// Without background work: what a test asks for is what is done.
inline StorageConfig quiet() {
  StorageConfig config;
  config.maintain_in_background = false;
  return config;
}

inline CollectionInfo test_collection() {
  CollectionInfo info;
  info.dimension = kDimension;
  info.embedding_model = "test";
  return info;
}

inline std::vector<float> vector_of(uint32_t number, int32_t dimension = kDimension) {
  std::mt19937 engine(number);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(dimension));
  for (float& value : values) value = normal(engine);
  return values;
}

inline Memory memory_of(uint32_t number) {
  Memory memory;
  memory.memory_id = "id-" + std::to_string(number);
  memory.timestamp = 1'000'000 + number;
  memory.content = "the content of number " + std::to_string(number);
  memory.embedding = vector_of(number);
  memory.metadata.category = number % 2 == 0 ? "even" : "odd";
  memory.metadata.quality_score = static_cast<float>(number % 10) / 10;
  memory.metadata.extra = "{\"n\":" + std::to_string(number) + "}";
  return memory;
}

inline bool same(const Memory& a, const Memory& b) {
  return a.memory_id == b.memory_id && a.timestamp == b.timestamp && a.content == b.content &&
         a.embedding == b.embedding && a.metadata.category == b.metadata.category &&
         a.metadata.source == b.metadata.source &&
         a.metadata.quality_score == b.metadata.quality_score &&
         a.metadata.extra == b.metadata.extra && a.expires_at == b.expires_at;
}

using storage_test::message_of;

}  // namespace aios::memory_test
