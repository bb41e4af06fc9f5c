#include <sys/stat.h>

#include <fstream>
#include <map>

#include "memory/catalog_writer.h"
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

constexpr const char* kName = kDefaultCollection;

/// A map that does what a store must do.
class ModelStore {
 public:
  void add(const Memory& memory) { memories_.emplace(memory.memory_id, memory); }
  void upsert(const Memory& memory) { memories_[memory.memory_id] = memory; }
  void remove(const std::string& id) { memories_.erase(id); }
  [[nodiscard]] const std::map<std::string, Memory>& memories() const { return memories_; }

 private:
  std::map<std::string, Memory> memories_;
};

void expect_same(const ArrowStorage& storage, const ModelStore& model) {
  ListRequest all;
  all.limit = 1 << 20;
  const std::vector<Memory> listed = storage.list(all);
  ASSERT_EQ(listed.size(), model.memories().size());
  for (const Memory& memory : listed) {
    const auto expected = model.memories().find(memory.memory_id);
    ASSERT_NE(expected, model.memories().end()) << memory.memory_id;
    EXPECT_TRUE(same(memory, expected->second)) << memory.memory_id;
  }
}

class ArrowStorageTest : public StoreTest {
 protected:
  /// A store with memories [0, count).
  std::unique_ptr<ArrowStorage> open_with(uint32_t count, StorageConfig config = quiet()) const {
    auto storage = std::make_unique<ArrowStorage>(store(), config);
    storage->create_collection(test_collection());
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < count; ++i) memories.push_back(memory_of(i));
    storage->add(kName, memories);
    return storage;
  }
  [[nodiscard]] std::vector<std::string> segment_files() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(store())) {
      const std::string name = file.path().filename();
      if (name.find("segment") != std::string::npos) names.push_back(name);
    }
    return names;
  }
};

TEST_F(ArrowStorageTest, GivesBackWhatWasAdded) {
  const auto storage = open_with(10);
  for (const bool sealed : {false, true}) {
    if (sealed) storage->checkpoint();
    const auto memory = storage->get(kName, "id-3");
    ASSERT_TRUE(memory.has_value());
    EXPECT_TRUE(same(*memory, memory_of(3)));
    EXPECT_FALSE(storage->get(kName, "id-10").has_value());
  }
  EXPECT_EQ(storage->stats().collections.at(0).num_hot, 0);
  EXPECT_EQ(storage->stats().collections.at(0).num_memories, 10);
}

TEST_F(ArrowStorageTest, AddingTwiceKeepsTheFirstAndUpsertReplaces) {
  const auto storage = open_with(3);
  Memory other = memory_of(1);
  other.content = "another";
  EXPECT_EQ(storage->add(kName, std::span(&other, 1)).num_added, 0);
  EXPECT_EQ(storage->get(kName, "id-1")->content, memory_of(1).content);
  storage->checkpoint();
  EXPECT_EQ(storage->upsert(kName, std::span(&other, 1)).num_added, 1);
  EXPECT_EQ(storage->get(kName, "id-1")->content, "another");
  EXPECT_EQ(storage->stats().collections.at(0).num_dead, 1);
}

TEST_F(ArrowStorageTest, OfOneIdTwiceInABatchTheFirstStaysAndTheLastReplaces) {
  const auto storage = open_with(0);
  std::vector<Memory> twice = {memory_of(1), memory_of(1)};
  twice[1].content = "second";
  EXPECT_EQ(storage->add(kName, twice).num_added, 1);
  EXPECT_EQ(storage->get(kName, "id-1")->content, twice[0].content);
  EXPECT_EQ(storage->upsert(kName, twice).num_added, 2);
  EXPECT_EQ(storage->get(kName, "id-1")->content, "second");
  EXPECT_EQ(storage->verify().num_memories, 1);
}

TEST_F(ArrowStorageTest, MakesIdsThatAreDifferent) {
  const auto storage = open_with(0);
  std::vector<Memory> nameless(100, memory_of(1));
  for (Memory& memory : nameless) memory.memory_id.clear();
  const AddResult result = storage->add(kName, nameless);
  EXPECT_EQ(result.num_added, 100);
  EXPECT_EQ(result.memory_ids.at(0).size(), 36U);
}

TEST_F(ArrowStorageTest, RandomOperationsDoWhatAMapDoes) {
  StorageConfig config = quiet();
  config.seal_rows = 20;
  config.max_segment_rows = 200;
  auto storage = open_with(0, config);
  ModelStore model;
  std::mt19937 engine(7);
  const auto draw = [&](uint32_t below) { return static_cast<uint32_t>(engine() % below); };
  for (int step = 0; step < 300; ++step) {
    std::vector<Memory> memories;
    for (uint32_t i = draw(8); i > 0; --i) memories.push_back(memory_of(draw(200)));
    std::vector<std::string> ids;
    for (const Memory& memory : memories) ids.push_back(memory.memory_id);
    const uint32_t operation = draw(20);
    if (operation < 8) {
      storage->add(kName, memories);
      for (const Memory& memory : memories) model.add(memory);
    } else if (operation < 12) {
      for (Memory& memory : memories) memory.content += " at " + std::to_string(step);
      storage->upsert(kName, memories);
      for (const Memory& memory : memories) model.upsert(memory);
    } else if (operation < 16) {
      storage->remove(kName, ids);
      for (const std::string& id : ids) model.remove(id);
    } else if (operation == 16) {
      storage->compact();
    } else if (operation == 17) {
      storage->checkpoint();
    } else if (operation == 18 && step % 4 == 0) {
      storage->forget(kName, ids);
      for (const std::string& id : ids) model.remove(id);
    } else if (operation == 19) {
      storage.reset();
      storage = std::make_unique<ArrowStorage>(store(), config);
    }
    if (step % 10 == 9) expect_same(*storage, model);
  }
  expect_same(*storage, model);
  storage->verify();
}

TEST_F(ArrowStorageTest, EditChangesMetadataOnly) {
  const auto storage = open_with(3);
  storage->checkpoint();
  MemoryMetadata metadata;
  metadata.category = "edited";
  EXPECT_TRUE(storage->edit(kName, "id-1", metadata, std::nullopt));
  EXPECT_FALSE(storage->edit(kName, "absent", metadata, std::nullopt));
  const auto memory = storage->get(kName, "id-1");
  EXPECT_EQ(memory->metadata.category, "edited");
  EXPECT_EQ(memory->content, memory_of(1).content);
  EXPECT_EQ(memory->embedding, memory_of(1).embedding);
  EXPECT_EQ(memory->timestamp, memory_of(1).timestamp);
}

TEST_F(ArrowStorageTest, WhatHasExpiredIsNotThere) {
  const auto storage = open_with(3);
  Memory old = memory_of(7);
  old.expires_at = now_microseconds() - 1;
  Memory young = memory_of(8);
  young.expires_at = now_microseconds() + 3'600'000'000;
  storage->add(kName, std::vector<Memory>{old, young});
  EXPECT_FALSE(storage->get(kName, "id-7").has_value());
  EXPECT_TRUE(storage->get(kName, "id-8").has_value());
  EXPECT_EQ(storage->stats().collections.at(0).num_memories, 4);
  old.expires_at.reset();
  EXPECT_EQ(storage->add(kName, std::span(&old, 1)).num_added, 1);  // its id is free again
  EXPECT_EQ(storage->expire(), 0);
  EXPECT_EQ(storage->stats().collections.at(0).num_memories, 5);
}

TEST_F(ArrowStorageTest, ListFiltersOrdersAndPages) {
  const auto storage = open_with(30);
  ListRequest request;
  request.filter = "category = 'even' and timestamp >= 1000010";
  request.newest_first = true;
  request.offset = 1;
  request.limit = 3;
  std::vector<std::string> ids;
  for (const Memory& memory : storage->list(request)) ids.push_back(memory.memory_id);
  EXPECT_THAT(ids, testing::ElementsAre("id-26", "id-24", "id-22"));
  request = {};
  request.filter = "content match 'NUMBER 17' and extra.n = 17";
  ASSERT_EQ(storage->list(request).size(), 1U);
  EXPECT_EQ(storage->list(request)[0].memory_id, "id-17");
}

TEST_F(ArrowStorageTest, MaintenanceBoundsSegmentsAndDeadRows) {
  StorageConfig config;
  config.seal_rows = 50;
  config.max_segment_rows = 1000;
  {
    auto storage = open_with(0, config);
    for (uint32_t i = 0; i < 40; ++i) {
      std::vector<Memory> memories;
      for (uint32_t j = 0; j < 50; ++j) memories.push_back(memory_of(50 * i + j));
      storage->add(kName, memories);
    }
    storage->compact();
    const CollectionStats stats = storage->stats().collections.at(0);
    EXPECT_EQ(stats.num_memories, 2000);
    // At most eight that are not half full beside those that are; their sizes depend on timing.
    EXPECT_LE(stats.num_segments, 8 + 2000 / 500);
    std::vector<std::string> ids;
    for (uint32_t i = 0; i < 2000; ++i) {
      if (i % 3 != 0) ids.push_back(memory_of(i).memory_id);
    }
    EXPECT_EQ(storage->remove(kName, ids), static_cast<int64_t>(ids.size()));
    storage->compact();
    EXPECT_LE(storage->stats().collections.at(0).num_dead, 2000 / 5);
    EXPECT_EQ(storage->stats().collections.at(0).num_memories, 667);
  }
  EXPECT_EQ(ArrowStorage(store(), quiet()).stats().collections.at(0).num_memories, 667);
}

TEST_F(ArrowStorageTest, SegmentsWhoseSizesGoUpAndDownAreMergedToo) {
  StorageConfig config = quiet();
  config.max_segment_rows = 1000;
  const auto storage = open_with(0, config);
  uint32_t count = 0;
  for (int i = 0; i < 24; ++i) {
    std::vector<Memory> memories(i % 2 == 0 ? 50 : 201);
    for (Memory& memory : memories) memory = memory_of(count++);
    storage->add(kName, memories);
    storage->compact();
    EXPECT_LE(storage->stats().collections.at(0).num_segments, 8 + count / 500);
  }
  EXPECT_EQ(storage->verify().num_memories, count);
}

TEST_F(ArrowStorageTest, AfterACheckpointTheSegmentsHoldTheLiveRowsAndTheLogIsEmpty) {
  const auto storage = open_with(100);
  storage->checkpoint();
  storage->remove(kName, std::vector<std::string>{"id-5"});
  storage->checkpoint();
  EXPECT_EQ(std::filesystem::file_size(store() + "/catalog.sqlite-wal"), 0U);
  int64_t num_rows = 0;
  for (const std::string& name : segment_files()) {
    num_rows += MemorySegment::open(store() + "/" + name)->num_rows();
  }
  EXPECT_EQ(num_rows, 99);
}

TEST_F(ArrowStorageTest, TheFolderIsItsOwners) {
  const auto storage = open_with(1);
  struct stat status {};
  ASSERT_EQ(::stat(store().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(ArrowStorageTest, ASecondWriterIsRefusedAndReadersAreNot) {
  const auto storage = open_with(3);
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage second(store(), quiet()); }),
              HasSubstr("is being written by process " + std::to_string(::getpid())));
  StorageConfig reading;
  reading.read_only = true;
  ArrowStorage reader(store(), reading);
  EXPECT_TRUE(reader.get(kName, "id-2").has_value());
  storage->remove(kName, std::vector<std::string>{"id-2"});
  EXPECT_FALSE(reader.get(kName, "id-2").has_value());
  EXPECT_THAT(message_of<StorageError>([&] { reader.expire(); }), HasSubstr("read-only"));
}

TEST_F(ArrowStorageTest, AReaderLetsGoOfSegmentsThatAreNoMore) {
  const auto storage = open_with(30);
  storage->compact();
  StorageConfig reading;
  reading.read_only = true;
  const ArrowStorage reader(store(), reading);
  const auto num_removed_mappings = [&] {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);) {
      const bool is_removed =
          line.find(store()) != std::string::npos && line.ends_with("(deleted)");
      count += is_removed ? 1 : 0;
    }
    return count;
  };
  EXPECT_TRUE(reader.get(kName, "id-3").has_value());
  storage->forget(kName, std::vector<std::string>{"id-4"});
  EXPECT_EQ(num_removed_mappings(), 1);
  EXPECT_TRUE(reader.get(kName, "id-3").has_value());
  EXPECT_EQ(num_removed_mappings(), 0);
}

TEST_F(ArrowStorageTest, WhatAKilledWriterLeftIsRemoved) {
  open_with(3)->checkpoint();
  const std::string orphan = store() + "/segment-00000099.parquet";
  std::filesystem::copy_file(store() + "/" + segment_files().at(0), orphan);
  std::filesystem::copy_file(orphan, store() + "/.segment-00000100.parquet.77-0.tmp");
  const ArrowStorage storage(store(), quiet());
  EXPECT_EQ(segment_files().size(), 1U);
  EXPECT_EQ(storage.stats().collections.at(0).num_memories, 3);
}

TEST_F(ArrowStorageTest, SegmentsWithoutACatalogueAreNotTakenForLeftovers) {
  open_with(3)->checkpoint();
  std::filesystem::remove(store() + "/catalog.sqlite");
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage storage(store(), quiet()); }),
              HasSubstr("repair"));
  EXPECT_EQ(segment_files().size(), 1U);
}

TEST_F(ArrowStorageTest, CollectionsAreApart) {
  const auto storage = open_with(3);
  CollectionInfo other = test_collection();
  other.name = "other";
  other.dimension = 2;
  other.metric = Metric::kL2;
  storage->create_collection(other);
  Memory memory = memory_of(1);
  memory.embedding = {1, 2};
  storage->add("other", std::span(&memory, 1));
  storage->checkpoint();
  EXPECT_EQ(storage->get("other", "id-1")->embedding.size(), 2U);
  EXPECT_EQ(storage->get(kName, "id-1")->embedding.size(), 16U);
  EXPECT_EQ(storage->collection("other").metric, Metric::kL2);
  storage->remove("other", std::vector<std::string>{"id-1"});
  EXPECT_TRUE(storage->get(kName, "id-1").has_value());
}

}  // namespace
}  // namespace aios
