// A tokenizer that comes from its cache is the one that its file describes, whatever the cache
// holds.
#include "tokenizer/tokenizer_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "aios/tokenizer.h"
#include "base/xxh64.h"

namespace aios::tokenizer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kHeaderSize = 64;
constexpr const char* kText = "tok17 and tok4242tok9 <x> tok19999 unheard";

/// More than 1 MiB, in few tokens.
json large_vocabulary() {
  json vocabulary = json::object();
  vocabulary["[UNK]"] = 0;
  for (int i = 1; i < 20'000; ++i) vocabulary["tok" + std::to_string(i)] = i;
  for (int i = 0; i < 5'000; ++i) {
    vocabulary["##" + std::string(200, 'a') + std::to_string(i)] = 20'000 + i;
  }
  return vocabulary;
}

json word_piece() {
  return {{"added_tokens", {{{"id", 25'000}, {"content", "<x>"}, {"special", true}}}},
          {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"model", {{"type", "WordPiece"}, {"vocab", large_vocabulary()}}}};
}

json unigram() {
  json pieces = json::array();
  const json vocabulary = large_vocabulary();
  for (const auto& [token, id] : vocabulary.items()) {
    pieces.push_back({token, -0.5 - 0.001 * id.get<double>()});
  }
  return {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"model", {{"type", "Unigram"}, {"unk_id", 7}, {"vocab", pieces}}}};
}

json byte_pairs() {
  json vocabulary = large_vocabulary();
  json merges = json::array();
  const std::string letters = "tok0123456789andunher";
  for (const char letter : letters) {
    vocabulary.emplace(std::string(1, letter), vocabulary.size());
  }
  for (const auto& [left, right] : {std::pair("t", "o"), {"to", "k"}, {"tok", "1"}, {"tok", "4"}}) {
    const std::string begin = left;
    for (const std::string& token : {begin, begin + right}) {
      vocabulary.emplace(token, vocabulary.size());
    }
    merges.push_back(begin + " " + right);
  }
  return {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"model",
           {{"type", "BPE"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}, {"merges", merges}}}};
}

class TokenizerCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    write(word_piece().dump());
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }

  static std::string read(const fs::path& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }
  static void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  void write(const std::string& text) const { write_file(source_, text); }
  [[nodiscard]] std::string cache() const { return read(cache_); }

  /// Loads twice, and expects the same as without any cache.
  void expect_same() const {
    const FastTokenizer plain = FastTokenizer::from_json(read(source_));
    const Encoding expected = plain.encode(kText);
    for (const char* when : {"first", "again"}) {
      const FastTokenizer tokenizer = FastTokenizer::from_file(source_.string());
      const Encoding encoding = tokenizer.encode(kText);
      EXPECT_EQ(encoding.ids, expected.ids) << when;
      EXPECT_EQ(encoding.offsets, expected.offsets) << when;
      EXPECT_EQ(tokenizer.decode(encoding.ids), plain.decode(expected.ids)) << when;
      EXPECT_EQ(tokenizer.vocab_size(), plain.vocab_size()) << when;
      EXPECT_EQ(tokenizer.token_to_id("tok4242"), plain.token_to_id("tok4242")) << when;
    }
  }

  /// Loads with a cache that `change` has been at.
  void expect_same_after(const std::function<void(std::string&)>& change) const {
    static_cast<void>(FastTokenizer::from_file(source_.string()));
    const std::string good = cache();
    std::string bytes = good;
    change(bytes);
    ASSERT_TRUE(bytes != good);
    write_file(cache_, bytes);
    expect_same();
    EXPECT_TRUE(cache() == good) << "a cache that does not fit is made again";
  }

  const fs::path folder_ =
      fs::temp_directory_path() /
      ("tokenizer_cache_" +
       std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  const fs::path source_ = folder_ / "tokenizer.json";
  const fs::path cache_ = folder_ / "tokenizer.json.cache";
};

TEST_F(TokenizerCacheTest, EveryModelIsTheSameFromItsCache) {
  for (const json& document : {word_piece(), unigram(), byte_pairs()}) {
    SCOPED_TRACE(document["model"]["type"]);
    write(document.dump());
    expect_same();
    EXPECT_TRUE(fs::exists(cache_));
  }
}

TEST_F(TokenizerCacheTest, IsUsed) {
  static_cast<void>(FastTokenizer::from_file(source_.string()));
  const auto cached = read_cache(source_.string());
  ASSERT_TRUE(cached);
  EXPECT_EQ(cached->source, checksum_of_file(source_.string()));
  EXPECT_EQ(cached->rest["model"]["type"], "WordPiece");
  EXPECT_TRUE(cached->rest["model"]["vocab"].empty());
  EXPECT_GT(cached->tables.size(), std::size_t{1} << 20U);
  const auto before = fs::last_write_time(cache_);
  expect_same();
  EXPECT_EQ(fs::last_write_time(cache_), before);
}

TEST_F(TokenizerCacheTest, AnotherSourceOfTheSameSizeIsRead) {
  static_cast<void>(FastTokenizer::from_file(source_.string()));
  std::string text = read(source_);
  const std::string from = "\"tok4242\":4242";
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), "\"tok424x\":4242");
  write(text);
  expect_same();
}

TEST_F(TokenizerCacheTest, DamageIsNoticed) {
  for (const std::size_t at : {0U, 10U, 30U, 40U, 100U, 700000U}) {
    SCOPED_TRACE(at);
    expect_same_after([=](std::string& bytes) { bytes[at] ^= 1; });
  }
  expect_same_after([](std::string& bytes) { bytes.resize(bytes.size() - 1); });
  expect_same_after([](std::string& bytes) { bytes.resize(20); });
  expect_same_after([](std::string& bytes) { bytes.clear(); });
  expect_same_after([](std::string& bytes) { bytes += "more"; });
}

/// Rewrites the checksum of what was changed.
void sign(std::string& bytes) {
  const auto payload = std::as_bytes(std::span(bytes)).subspan(kHeaderSize);
  const uint64_t hash = xxh64(payload);
  std::memcpy(bytes.data() + 32, &hash, sizeof(hash));
}

TEST_F(TokenizerCacheTest, TablesThatPointElsewhereAreRefusedThoughTheirChecksumIsRight) {
  static_cast<void>(FastTokenizer::from_file(source_.string()));
  // Every table ends with its bytes at the end of a block: spoil places all over the file.
  const std::size_t size = cache().size();
  for (std::size_t at = kHeaderSize; at + 8 <= size; at += size / 12 / 8 * 8) {
    SCOPED_TRACE(at);
    std::string bytes = cache();
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 8, '\x7f');
    sign(bytes);
    write_file(cache_, bytes);
    try {
      const FastTokenizer tokenizer = FastTokenizer::from_file(source_.string());
      static_cast<void>(tokenizer.decode(tokenizer.encode(kText).ids));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    fs::remove(cache_);
    static_cast<void>(FastTokenizer::from_file(source_.string()));
  }
}

TEST_F(TokenizerCacheTest, AReadOnlyFolderHasNone) {
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  expect_same();
  EXPECT_FALSE(fs::exists(cache_));
}

TEST_F(TokenizerCacheTest, WhatCannotBeWrittenIsLeftOut) {
  fs::create_directory(cache_);
  write_file(cache_ / "occupied", "");
  expect_same();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2)
      << "the temporary file is gone";
}

TEST_F(TokenizerCacheTest, SmallFilesNeedNone) {
  write(R"({"model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "tok4242": 1}}})");
  expect_same();
  EXPECT_FALSE(fs::exists(cache_));
}

}  // namespace
}  // namespace aios::tokenizer
