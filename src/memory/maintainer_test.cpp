#include "memory/maintainer.h"

#include "memory/memory_test_support.h"
#include "memory/storage_implementation.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::quiet;
using memory_test::StoreTest;
using memory_test::test_collection;

constexpr const char* kName = kDefaultCollection;

std::vector<Memory> memories(uint32_t begin, uint32_t end) {
  std::vector<Memory> made;
  for (uint32_t i = begin; i < end; ++i) made.push_back(memory_of(i));
  return made;
}

using MaintainerTest = StoreTest;

TEST_F(MaintainerTest, HotRowsAreSealedWhileSegmentsAreMerged) {
  constexpr uint32_t kNumSealed = 1200;
  constexpr uint32_t kNumHot = 200;
  StorageConfig config = quiet();
  config.seal_rows = kNumHot;
  {
    SegmentFiles segments(store());
    StoreWriter writer(store(), config, segments);
    const auto add = [&](uint32_t begin, uint32_t end) {
      writer.change(
          [&](CatalogWriter& catalog) { return catalog.add(kName, memories(begin, end), false); });
    };
    writer.change([](CatalogWriter& catalog) {
      catalog.create_collection(test_collection());
      return 0;
    });
    for (uint32_t part = 0; part < 4; ++part) {
      add(part * kNumSealed, (part + 1) * kNumSealed);
      writer.maintainer().seal(1);
    }
    add(4 * kNumSealed, 4 * kNumSealed + kNumHot);
    ASSERT_TRUE(writer.maintainer().compact_step());
  }
  const ArrowStorage storage(store(), {.read_only = true});
  const CollectionStats stats = storage.stats().collections.at(0);
  EXPECT_EQ(stats.num_hot, 0);
  EXPECT_EQ(stats.num_segments, 2) << "the merged one, and that of the hot rows";
  EXPECT_EQ(storage.verify().num_memories, 4 * kNumSealed + kNumHot);
  EXPECT_TRUE(memory_test::same(storage.get(kName, "id-4900").value(), memory_of(4900)));
}

/// The writer looks when `seal_rows` rows of the catalogue have changed, of which each memory is at
/// least two: half as many and a batch may come in between.
TEST_F(MaintainerTest, HowManyRowsAreHotIsBounded) {
  constexpr uint32_t kBatch = 50;
  constexpr uint32_t kNumBatches = 100;
  StorageConfig config;
  config.seal_rows = 150;
  ArrowStorage storage(store(), config);
  storage.create_collection(test_collection());
  for (uint32_t i = 0; i < kNumBatches; ++i) {
    storage.add(kName, memories(i * kBatch, (i + 1) * kBatch));
    ASSERT_LE(storage.stats().collections.at(0).num_hot,
              kMaxHotSeals * config.seal_rows + config.seal_rows / 2 + kBatch);
  }
  EXPECT_EQ(storage.verify().num_memories, kNumBatches * kBatch);
}

}  // namespace
}  // namespace aios
