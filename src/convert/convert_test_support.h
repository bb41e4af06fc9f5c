/// A tiny model with a tokenizer, for tests of what needs both.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace aios {

/// The folder of one of the parity tests' models with a tokenizer of some words; gone with this.
class WordModel {
 public:
  WordModel(const std::string& fixture, const std::vector<std::string>& words)
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("words_of_" + fixture + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(std::string(AIOS_SOURCE_DIR) + "/tests/parity/fixtures/" + fixture,
                          folder_);
    nlohmann::ordered_json tokenizer = nlohmann::ordered_json::parse(R"({
        "version": "1.0", "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0}}})");
    auto& vocabulary = tokenizer["model"]["vocab"];
    for (const std::string& word : words) vocabulary[word] = vocabulary.size();
    std::ofstream(folder_ / "tokenizer.json") << tokenizer;
  }
  ~WordModel() { std::filesystem::remove_all(folder_); }
  WordModel(const WordModel&) = delete;
  WordModel& operator=(const WordModel&) = delete;

  [[nodiscard]] std::string folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace aios
