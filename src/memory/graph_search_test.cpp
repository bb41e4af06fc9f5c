#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/xxh64.h"
#include "memory/graph_file.h"
#include "memory/memory_test_support.h"

namespace aios {
namespace {

using memory_test::kDimension;
using memory_test::memory_of;
using memory_test::message_of;
using memory_test::StoreTest;
using memory_test::test_collection;
using memory_test::vector_of;
using testing::HasSubstr;

constexpr const char* kName = kDefaultCollection;
// Graphs are built and walked slowly under sanitizers: as few rows as are still walked, which is at
// least kWidth * kGraphDegree, and four times as many where half of them pass a filter.
constexpr int32_t kWidth = 32;
constexpr uint32_t kNumSealed = 2400;
constexpr uint32_t kNumFiltered = 4200;
constexpr uint32_t kNumHot = 50;
constexpr uint32_t kNumDamaged = 1100;   // rows of damaged graphs
constexpr std::size_t kHeaderSize = 64;  // docs/formats/memory-store.md
constexpr std::size_t kChecksumAt = 56;

class GraphSearchTest : public StoreTest {
 protected:
  static StorageConfig with_graphs() {
    StorageConfig config = memory_test::quiet();
    config.graph_rows = 1000;
    config.seal_rows = 1 << 20;
    return config;
  }

  void open() {
    search_.reset();
    storage_.reset();
    storage_ = std::make_unique<ArrowStorage>(store(), with_graphs());
    search_ = std::make_unique<VectorSearch>(*storage_, 2);
  }

  /// Rows of which all but the last fifty are in one segment with a graph.
  void fill(uint32_t num_sealed = kNumSealed) {
    open();
    storage_->create_collection(test_collection());
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < num_sealed + kNumHot; ++i) {
      memories.push_back(memory_of(i));
      memories.back().metadata.source = std::to_string(i);
    }
    storage_->add(kName, std::span(memories).first(num_sealed));
    storage_->compact();
    storage_->add(kName, std::span(memories).subspan(num_sealed));
  }

  [[nodiscard]] std::string graph_path() const {
    for (const auto& file : std::filesystem::directory_iterator(store())) {
      if (file.path().extension() == ".graph") return file.path();
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> found(uint32_t number, VectorIndex index,
                                               const std::string& filter = {}) const {
    SearchRequest request;
    request.embedding = vector_of(number);
    request.filter = filter;
    request.index = index;
    request.ef_search = kWidth;
    std::vector<std::string> ids;
    for (const SearchHit& hit : search_->search(request)) ids.push_back(hit.memory.memory_id);
    return ids;
  }

  /// The share of what an exact search finds, over queries that are in no memory.
  [[nodiscard]] double recall(const std::string& filter = {}) const {
    std::size_t same = 0;
    std::size_t all = 0;
    for (uint32_t query = 1'000'000; query < 1'000'020; ++query) {
      const auto exact = found(query, VectorIndex::kExact, filter);
      const auto walked = found(query, VectorIndex::kAuto, filter);
      EXPECT_EQ(walked.size(), exact.size()) << filter;
      for (const std::string& id : exact) {
        same += static_cast<std::size_t>(std::count(walked.begin(), walked.end(), id));
      }
      all += exact.size();
    }
    return static_cast<double>(same) / static_cast<double>(all);
  }

  std::unique_ptr<ArrowStorage> storage_;
  std::unique_ptr<VectorSearch> search_;
};

TEST_F(GraphSearchTest, FindsNearlyWhatAnExactSearchFinds) {
  fill();
  const StorageStats stats = storage_->stats();
  EXPECT_EQ(stats.collections.at(0).num_graph_rows, kNumSealed);
  EXPECT_EQ(stats.graph_bytes, static_cast<int64_t>(std::filesystem::file_size(graph_path())));
  EXPECT_GE(recall(), 0.95);
}

TEST_F(GraphSearchTest, EverySegmentIsSearched) {
  StorageConfig config = with_graphs();
  config.max_segment_rows = 2000;
  storage_ = std::make_unique<ArrowStorage>(store(), config);
  storage_->create_collection(test_collection());
  for (uint32_t part = 0; part < 2; ++part) {
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < 1200; ++i) memories.push_back(memory_of(1200 * part + i));
    storage_->add(kName, memories);
    storage_->compact();
  }
  search_ = std::make_unique<VectorSearch>(*storage_, 2);
  ASSERT_EQ(storage_->stats().collections.at(0).num_segments, 2);
  ASSERT_EQ(storage_->stats().collections.at(0).num_graph_rows, 2400);
  EXPECT_GE(recall(), 0.95);
}

/// A half is walked, a hundredth and a ten-thousandth are read.
TEST_F(GraphSearchTest, FiltersGetAsManyAsPassWithTheSameRecall) {
  fill(kNumFiltered);
  EXPECT_GE(recall("category = 'even'"), 0.95);
  EXPECT_EQ(recall("source >= '98' and source < '99'"), 1);
  EXPECT_EQ(recall("source in ('17', '4201')"), 1);
  EXPECT_EQ(found(1, VectorIndex::kAuto, "category = 'even'").size(), 10U);
  EXPECT_EQ(found(1, VectorIndex::kAuto, "source in ('17', '4201')").size(), 2U);
}

TEST_F(GraphSearchTest, NewRowsAreFoundAndRemovedOnesAreNot) {
  fill();
  EXPECT_EQ(found(kNumSealed + 7, VectorIndex::kAuto).at(0), "id-2407");
  EXPECT_EQ(found(123, VectorIndex::kAuto).at(0), "id-123");
  const std::string id = "id-123";
  storage_->remove(kName, std::span(&id, 1));
  const auto after = found(123, VectorIndex::kAuto);
  EXPECT_EQ(after.size(), 10U);
  EXPECT_EQ(std::count(after.begin(), after.end(), id), 0);
}

TEST_F(GraphSearchTest, ABatchFindsWhatSingleSearchesFind) {
  fill();
  SearchRequest request;
  request.ef_search = kWidth;
  std::vector<float> queries;
  for (uint32_t i = 0; i < 7; ++i) {
    const auto query = vector_of(500'000 + i);
    queries.insert(queries.end(), query.begin(), query.end());
  }
  const auto hits = search_->search_batch(request, queries);
  ASSERT_EQ(hits.size(), 7U);
  for (uint32_t i = 0; i < 7; ++i) {
    std::vector<std::string> ids;
    for (const SearchHit& hit : hits[i]) ids.push_back(hit.memory.memory_id);
    EXPECT_EQ(ids, found(500'000 + i, VectorIndex::kAuto));
  }
}

TEST_F(GraphSearchTest, ForgettingRemovesTheGraphAndCompactionBuildsItAnew) {
  fill();
  const std::string before = graph_path();
  const std::string id = "id-123";
  storage_->forget(kName, std::span(&id, 1));
  EXPECT_FALSE(std::filesystem::exists(before));
  EXPECT_EQ(graph_path(), "");
  EXPECT_EQ(recall(), 1) << "without a graph every vector is read";
  storage_->compact();
  EXPECT_NE(graph_path(), "");
  EXPECT_NE(graph_path(), before);
  EXPECT_GE(recall(), 0.95);
}

TEST_F(GraphSearchTest, SmallCollectionsHaveNone) {
  open();
  storage_->create_collection(test_collection());
  std::vector<Memory> memories;
  for (uint32_t i = 0; i < 999; ++i) memories.push_back(memory_of(i));
  storage_->add(kName, memories);
  storage_->compact();
  EXPECT_EQ(graph_path(), "");
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

template <typename T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

/// Makes the checksums right again, so that what they cover is what is tested.
void seal(std::string& bytes) {
  const auto all = std::as_bytes(std::span(bytes));
  put(bytes, kChecksumAt - 8, xxh64(all.subspan(kHeaderSize)));
  put(bytes, kChecksumAt, xxh64(all.first(kChecksumAt)));
}

TEST_F(GraphSearchTest, VerifyNamesADamagedGraphAndRepairRemovesIt) {
  fill(kNumDamaged);
  EXPECT_NO_THROW((void)storage_->verify());
  const std::string path = graph_path();
  const std::string sound = read_file(path);
  const auto overwrite = [&](const std::string& bytes) {
    search_.reset();
    storage_.reset();
    write_file(path, bytes);
  };
  std::string flipped = sound;
  flipped[kHeaderSize + 9] ^= 1;
  std::string leads_out = sound;  // right by its checksums
  put(leads_out, kHeaderSize + kNumDamaged * graph_stride(kDimension), uint32_t{kNumDamaged});
  seal(leads_out);
  for (const auto& [bytes, message] :
       {std::pair(flipped, "is damaged"), std::pair(leads_out, "leads to rows that it has not")}) {
    overwrite(bytes);
    open();
    EXPECT_THAT(message_of<FormatError>([&] { (void)storage_->verify(); }),
                AllOf(HasSubstr(path), HasSubstr(message)));
    overwrite(bytes);
    const RepairMemoryReport report = ArrowStorage::repair(store());
    EXPECT_THAT(report.findings, testing::ElementsAre(HasSubstr(message)));
    EXPECT_EQ(report.num_memories, kNumDamaged + kNumHot);
    EXPECT_FALSE(std::filesystem::exists(path));
    open();
    EXPECT_NO_THROW((void)storage_->verify());
    storage_->compact();
    EXPECT_EQ(read_file(path), sound);
    EXPECT_NO_THROW((void)storage_->verify());
  }
}

struct Damage {
  const char* name;
  const char* message;  // empty: the file is sound by its checksums, and only walks badly
  std::function<void(std::string&)> apply;
};

class DamagedGraphTest : public GraphSearchTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedGraphTest, SearchesGoOnAndCompactionBuildsItAnew) {
  fill(kNumDamaged);
  const std::string path = graph_path();
  const std::string sound = read_file(path);
  std::string bytes = sound;
  GetParam().apply(bytes);
  search_.reset();
  storage_.reset();
  write_file(path, bytes);
  open();
  const auto segment = MemorySegment::open(path.substr(0, path.rfind('.')) + ".parquet");
  if (*GetParam().message == '\0') {
    EXPECT_NO_THROW((void)open_graph(path, GraphRows::of(*segment)));
    for (uint32_t i = 0; i < 20; ++i) EXPECT_EQ(found(i, VectorIndex::kAuto).size(), 10U);
    return;
  }
  EXPECT_THAT(message_of<FormatError>([&] { (void)open_graph(path, GraphRows::of(*segment)); }),
              HasSubstr(GetParam().message));
  EXPECT_EQ(recall(), 1) << "every vector is read";
  storage_->compact();
  EXPECT_EQ(read_file(path), sound);
  EXPECT_GE(recall(), 0.95);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, DamagedGraphTest,
    testing::Values(
        Damage{"Empty", "too short", [](std::string& bytes) { bytes.resize(1); }},
        Damage{"Truncated", "has not the size",
               [](std::string& bytes) { bytes.resize(bytes.size() / 2); }},
        Damage{"Longer", "has not the size", [](std::string& bytes) { bytes += "more"; }},
        Damage{"NoGraph", "is no graph", [](std::string& bytes) { bytes[0] = 'x'; }},
        Damage{"FlippedHeader", "damaged header", [](std::string& bytes) { bytes[33] ^= 1; }},
        Damage{"FlippedCode", "is damaged",
               [](std::string& bytes) { bytes[kHeaderSize + 9] ^= 1; }},
        Damage{"FlippedLastByte", "is damaged", [](std::string& bytes) { bytes.back() ^= 1; }},
        Damage{"Newer", "another version",
               [](std::string& bytes) {
                 put(bytes, 8, uint32_t{2});
                 seal(bytes);
               }},
        Damage{"OtherMetric", "of other rows",
               [](std::string& bytes) {
                 put(bytes, 12, uint32_t{2});
                 seal(bytes);
               }},
        Damage{"LyingDimension", "of other rows",
               [](std::string& bytes) {
                 put(bytes, 16, uint32_t{1} << 31);
                 seal(bytes);
               }},
        Damage{"LyingRows", "of other rows",
               [](std::string& bytes) {
                 put(bytes, 24, ~uint64_t{0});
                 seal(bytes);
               }},
        Damage{"LyingEntries", "has not the size",
               [](std::string& bytes) {
                 put(bytes, 32, uint64_t{1} << 62);
                 seal(bytes);
               }},
        Damage{"OtherSegment", "of other rows",
               [](std::string& bytes) {
                 put(bytes, 40, uint64_t{1});
                 seal(bytes);
               }},
        Damage{"NeighboursOutOfRange", "",
               [](std::string& bytes) {
                 const std::size_t begin = kHeaderSize + kNumDamaged * graph_stride(kDimension);
                 const std::size_t count = kNumDamaged * kGraphDegree;
                 for (std::size_t i = 0; i < count; i += 3) {
                   put(bytes, begin + 4 * i, uint32_t{0xfffffff0});
                 }
                 seal(bytes);
               }},
        Damage{"NoEdges", "",
               [](std::string& bytes) {
                 const std::size_t begin = kHeaderSize + kNumDamaged * graph_stride(kDimension);
                 for (std::size_t i = 0; i < kNumDamaged * kGraphDegree; ++i) {
                   put(bytes, begin + 4 * i, kNoNeighbour);
                 }
                 seal(bytes);
               }},
        Damage{"EntriesOutOfRange", "",
               [](std::string& bytes) {
                 put(bytes, bytes.size() - 8, uint32_t{kNumDamaged});
                 seal(bytes);
               }}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace aios
