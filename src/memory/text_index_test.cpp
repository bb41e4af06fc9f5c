#include "memory/text_index.h"

#include <functional>

#include "memory/catalog_schema.h"
#include "memory/memory_test_support.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::message_of;
using memory_test::quiet;
using memory_test::StoreTest;
using memory_test::test_collection;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kNumMemories = 60;

/// With words of its own, so that the index is longer than a page: a shorter one stays flat.
Memory wordy_memory(uint32_t number) {
  Memory memory = memory_of(number);
  for (uint32_t i = 0; i < 40; ++i) {
    memory.content += " word" + std::to_string(100 * number + i);
  }
  return memory;
}

constexpr const char* kFlat = "this SQLite keeps its text indexes flat";

void optimize(Database& database, SegmentFiles&) {
  database.execute("INSERT INTO text_index(text_index) VALUES('optimize')");
}

class TextIndexTest : public StoreTest {
 protected:
  void SetUp() override {
    ArrowStorage storage(store(), quiet());
    storage.create_collection(test_collection());
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < kNumMemories; ++i) memories.push_back(wordy_memory(i));
    const auto half = memories.begin() + kNumMemories / 2;
    storage.add(kDefaultCollection, std::vector<Memory>(memories.begin(), half));
    storage.checkpoint();  // the index is built anew from segments as well as hot rows
    storage.add(kDefaultCollection, std::vector<Memory>(half, memories.end()));
  }

  /// Takes a memory out of the index and puts it in again, then calls `merge`, `times` times.
  void change_and_merge(int times, const std::function<void(Database&, SegmentFiles&)>& merge) {
    SegmentFiles segments(store());
    Database database(store() + "/" + kCatalogName, DatabaseMode::kReadWrite);
    const std::string content = wordy_memory(kNumMemories - 1).content;
    const int64_t sequence = query_integer(database, "SELECT max(sequence) FROM memory");
    database.execute("PRAGMA synchronous = OFF");
    for (int i = 0; i < times; ++i) {
      for (const char* change :
           {"INSERT INTO text_index(text_index, rowid, content) VALUES('delete', ?, ?)",
            "INSERT INTO text_index(rowid, content) VALUES(?, ?)"}) {
        Query(database, change).bind(sequence).bind(content).run();
      }
      merge(database, segments);
    }
    num_levels_ = num_text_index_levels(database);
  }

  [[nodiscard]] std::vector<std::string> find(const std::string& words) const {
    const ArrowStorage storage(store(), {.read_only = true});
    SearchRequest request;
    request.text = words;
    std::vector<std::string> ids;
    for (const SearchHit& hit : VectorSearch(storage, 1).search(request)) {
      ids.push_back(hit.memory.memory_id);
    }
    return ids;
  }

  int64_t num_levels_ = 0;
};

TEST_F(TextIndexTest, StaysUsableHoweverOftenItIsMerged) {
  change_and_merge(1010, merge_text_index);
  EXPECT_LE(num_levels_, kMaxTextIndexLevels + 2);
  EXPECT_THAT(find("word5930"), ElementsAre("id-59"));
  EXPECT_THAT(find("word130"), ElementsAre("id-1"));
  ArrowStorage(store(), quiet()).verify();
}

TEST_F(TextIndexTest, OneThatBecameDeepBeforeIsBuiltAnew) {
  change_and_merge(300, optimize);
  if (num_levels_ < kMaxTextIndexLevels) GTEST_SKIP() << kFlat;
  change_and_merge(1, merge_text_index);
  EXPECT_LE(num_levels_, 3);
  EXPECT_THAT(find("word130"), ElementsAre("id-1"));
}

TEST_F(TextIndexTest, IsMergedAsItIsWhereAContentCannotBeRead) {
  change_and_merge(300, optimize);
  for (const auto& file : std::filesystem::directory_iterator(store())) {
    if (file.path().extension() == ".parquet") std::filesystem::resize_file(file.path(), 100);
  }
  const int64_t num_levels = num_levels_;
  change_and_merge(2, merge_text_index);
  EXPECT_GE(num_levels_, num_levels);
  EXPECT_THAT(find("word5930"), ElementsAre("id-59"));
}

/// As stores became before that.
TEST_F(TextIndexTest, OneThatIsTooDeepIsFoundAndMended) {
  const ArrowStorage searched(store(), {.read_only = true});
  searched.verify();
  const std::string failure = message_of<StorageError>([&] { change_and_merge(1010, optimize); });
  if (failure == "no error") GTEST_SKIP() << kFlat;
  EXPECT_THAT(failure, HasSubstr("malformed"));
  EXPECT_THAT(message_of<StorageError>([&] { ArrowStorage(store(), quiet()).verify(); }),
              HasSubstr("text_index; run aios memory repair on its folder"));
  EXPECT_THAT(message_of<StorageError>([&] { searched.verify(); }),
              HasSubstr("run aios memory repair on its folder"));
  const RepairMemoryReport report = ArrowStorage::repair(store());
  EXPECT_EQ(report.num_memories, kNumMemories);
  EXPECT_EQ(report.num_lost, 0);
  EXPECT_THAT(find("word5930"), ElementsAre("id-59"));
  ArrowStorage(store(), quiet()).verify();
}

}  // namespace
}  // namespace aios
