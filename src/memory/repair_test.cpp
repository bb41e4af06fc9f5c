#include <sqlite3.h>

#include <fstream>
#include <thread>

#include "memory/memory_test_support.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::message_of;
using memory_test::quiet;
using memory_test::same;
using memory_test::StoreTest;
using memory_test::test_collection;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;
constexpr const char* kName = kDefaultCollection;
constexpr uint32_t kNumMemories = 5000;  // three row groups

class RepairTest : public StoreTest {
 protected:
  /// Memories [0, 5000) in a segment, [5000, 5010) hot, every hundredth removed.
  void make_store(bool has_hot_rows = true) const {
    ArrowStorage storage(store(), quiet());
    storage.create_collection(test_collection());
    storage.add(kName, memories(0, kNumMemories));
    storage.compact();
    std::vector<std::string> ids;
    for (uint32_t i = 0; i < kNumMemories; i += 100) ids.push_back(memory_of(i).memory_id);
    storage.remove(kName, ids);
    if (has_hot_rows) storage.add(kName, memories(kNumMemories, kNumMemories + 10));
    if (!has_hot_rows) storage.checkpoint();
  }
  static std::vector<Memory> memories(uint32_t begin, uint32_t end) {
    std::vector<Memory> made;
    for (uint32_t i = begin; i < end; ++i) made.push_back(memory_of(i));
    return made;
  }
  [[nodiscard]] std::string segment() const {
    for (const auto& file : fs::directory_iterator(store())) {
      if (file.path().extension() == ".parquet") return file.path();
    }
    return "";
  }
  [[nodiscard]] std::string catalog() const { return store() + "/catalog.sqlite"; }
  static void overwrite(const std::string& path, int64_t offset, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  /// What is there is right, and the store works. @return the number of memories
  [[nodiscard]] int64_t expect_sound() const {
    ArrowStorage storage(store(), quiet());
    storage.verify();
    ListRequest all;
    all.limit = 1 << 20;
    for (const Memory& memory : storage.list(all)) {
      const auto number = static_cast<uint32_t>(std::stoul(memory.memory_id.substr(3)));
      EXPECT_TRUE(same(memory, memory_of(number))) << memory.memory_id;
    }
    const int64_t count = storage.stats().collections.at(0).num_memories;
    storage.upsert(kName, memories(9000, 9001));
    SearchRequest request;
    request.embedding = memory_of(9000).embedding;
    EXPECT_EQ(VectorSearch(storage, 1).search(request).at(0).memory.memory_id, "id-9000");
    storage.checkpoint();
    storage.verify();
    return count;
  }
};

TEST_F(RepairTest, OfASoundStoreFindsNothing) {
  make_store();
  const RepairMemoryReport report = ArrowStorage::repair(store());
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.set_aside, IsEmpty());
  EXPECT_EQ(report.num_memories, kNumMemories - 50 + 10);
  EXPECT_EQ(expect_sound(), report.num_memories);
}

TEST_F(RepairTest, OfADamagedRowGroupTheOthersAreKept) {
  make_store();
  overwrite(segment(), static_cast<int64_t>(fs::file_size(segment()) / 2), "damage");
  EXPECT_THAT(message_of<FormatError>([&] { ArrowStorage(store(), quiet()).verify(); }),
              HasSubstr(segment()));
  const RepairMemoryReport report = ArrowStorage::repair(store());
  EXPECT_THAT(report.set_aside, SizeIs(1));
  EXPECT_GT(report.num_lost, 0);
  EXPECT_LE(report.num_lost, 2048);
  EXPECT_EQ(report.num_memories + report.num_lost, kNumMemories - 50 + 10);
  EXPECT_EQ(report.num_restored, 0);
  EXPECT_EQ(expect_sound(), report.num_memories);
}

TEST_F(RepairTest, WithoutItsSegmentTheHotRowsAreKept) {
  make_store();
  fs::remove(segment());
  EXPECT_EQ(ArrowStorage::repair(store()).num_memories, 10);
  EXPECT_EQ(expect_sound(), 10);
}

TEST_F(RepairTest, OfASegmentWithoutAFooterNothingCanBeRead) {
  make_store();
  fs::resize_file(segment(), fs::file_size(segment()) - 20);
  const RepairMemoryReport report = ArrowStorage::repair(store());
  EXPECT_EQ(report.num_memories, 10);
  EXPECT_EQ(report.num_lost, kNumMemories - 50);
  EXPECT_EQ(expect_sound(), 10);
}

TEST_F(RepairTest, ACatalogueThatIsNoneIsMadeFromTheSegments) {
  for (const bool is_missing : {false, true}) {
    fs::remove_all(store());
    make_store(false);
    if (is_missing) fs::remove(catalog());
    if (!is_missing) overwrite(catalog(), 0, std::string(8192, 'x'));
    EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), quiet()); }),
                HasSubstr("aios memory repair"));
    const RepairMemoryReport report = ArrowStorage::repair(store());
    EXPECT_EQ(report.num_memories, kNumMemories - 50);
    EXPECT_EQ(report.num_restored, report.num_memories);
    EXPECT_EQ(expect_sound(), report.num_memories);
  }
}

TEST_F(RepairTest, IsDoneAgainWhenItWasKilledBeforeTheNewCatalogueHadItsName) {
  make_store();
  for (const char* suffix : {"", "-wal"}) {
    fs::rename(catalog() + suffix, catalog() + ".damaged" + suffix);
  }
  EXPECT_EQ(ArrowStorage::repair(store()).num_memories, kNumMemories - 50 + 10);
  EXPECT_EQ(expect_sound(), kNumMemories - 50 + 10);
}

TEST_F(RepairTest, WhatWasSetAsideGoesWithTheNextForget) {
  make_store();
  overwrite(segment(), 1000, "damage");
  EXPECT_THAT(ArrowStorage::repair(store()).set_aside, SizeIs(1));
  ArrowStorage(store(), quiet()).forget(kName, std::vector<std::string>{"id-4999"});
  for (const auto& file : fs::directory_iterator(store())) {
    EXPECT_EQ(file.path().string().find(".damaged"), std::string::npos) << file.path();
  }
}

/// Bytes changed anywhere: an error of ours or right answers, and a repair that helps.
TEST_F(RepairTest, RandomDamageIsAnErrorOfOursAndCanBeMended) {
  make_store();
  {
    ArrowStorage storage(store(), quiet());
    storage.upsert(kName, memories(kNumMemories, kNumMemories + 300));
  }
  const std::string sound = path("sound");
  fs::copy(store(), sound);
  std::mt19937 engine(3);
  int num_mended = 0;
  for (int round = 0; round < 40; ++round) {
    fs::remove_all(store());
    fs::copy(sound, store());
    const std::vector<std::string> files = {catalog(), catalog() + "-wal", segment()};
    const std::string file = files.at(engine() % files.size());
    const auto size = fs::file_size(file);
    if (size == 0) continue;
    if (engine() % 4 == 0) fs::resize_file(file, engine() % size);
    for (int i = 0; i < 20; ++i) {
      overwrite(file, static_cast<int64_t>(engine() % size),
                std::string(1 + engine() % 64, static_cast<char>(engine())));
    }
    try {
      const ArrowStorage storage(store(), quiet());
      SearchRequest request;
      request.embedding = memory_of(7).embedding;
      request.text = "number 7";
      static_cast<void>(VectorSearch(storage, 1).search(request));
      storage.verify();
    } catch (const Error&) {
    }
    const RepairMemoryReport report = ArrowStorage::repair(store());
    num_mended += report.findings.empty() ? 0 : 1;
    const ArrowStorage storage(store(), quiet());
    EXPECT_EQ(storage.verify().num_memories, report.num_memories) << file << " round " << round;
  }
  EXPECT_GT(num_mended, 10);
}

class VersionTest : public StoreTest {
 protected:
  void run_sql(const char* sql) const {
    sqlite3* handle = nullptr;
    sqlite3_open((store() + "/catalog.sqlite").c_str(), &handle);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
  }
};

TEST_F(VersionTest, ANewerStoreIsLeftAlone) {
  { const ArrowStorage storage(store(), quiet()); }
  run_sql("PRAGMA user_version = 99");
  const auto refused = HasSubstr("of version 99, newer than this build");
  StorageConfig reading;
  reading.read_only = true;
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), quiet()); }), refused);
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), reading); }), refused);
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage::repair(store()); }), refused);
}

TEST_F(VersionTest, AnotherDatabaseIsLeftAlone) {
  fs::create_directories(store());
  run_sql("PRAGMA user_version = 1; CREATE TABLE other(a)");
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), quiet()); }),
              HasSubstr("no catalogue of memories but another SQLite database"));
}

TEST_F(VersionTest, ACatalogueWithoutTablesIsMadeAndReadersAskForIt) {
  fs::create_directories(store());
  run_sql("PRAGMA journal_mode = WAL; PRAGMA user_version = 0");
  StorageConfig reading;
  reading.read_only = true;
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), reading); }),
              HasSubstr("of version 0, older than this build"));
  ArrowStorage(store(), quiet()).create_collection(test_collection());
  EXPECT_EQ(ArrowStorage(store(), reading).collection(kName).dimension, 16);
}

TEST_F(VersionTest, AStoreOfTheFirstVersionIsMigrated) {
  {
    ArrowStorage storage(store(), quiet());
    storage.create_collection(test_collection());
    storage.add(kName, std::vector<Memory>{memory_of(1)});
  }
  run_sql(
      "DROP TABLE reembedding; DROP TABLE new_embedding;"
      "ALTER TABLE state DROP COLUMN num_removed; PRAGMA user_version = 1");
  StorageConfig reading;
  reading.read_only = true;
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), reading); }),
              HasSubstr("of version 1, older than this build"));
  ArrowStorage storage(store(), quiet());
  EXPECT_EQ(storage.remove(kName, std::vector<std::string>{memory_of(1).memory_id}), 1);
  storage.compact();
  EXPECT_EQ(storage.verify().num_memories, 0);
}

TEST_F(VersionTest, ASecondWriterWaitsForItsTurn) {
  auto first = std::make_unique<ArrowStorage>(store(), quiet());
  std::thread closing([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    first.reset();
  });
  StorageConfig waiting = quiet();
  waiting.lock_timeout = 30;
  ArrowStorage second(store(), waiting);
  closing.join();
  second.create_collection(test_collection());
  waiting.lock_timeout = 0.05;
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage third(store(), waiting); }),
              HasSubstr("is being written by process"));
}

}  // namespace
}  // namespace aios
