#include <cmath>
#include <fstream>
#include <iterator>

#include "memory/memory_test_support.h"
#include "storage/memory_file_reader.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::message_of;
using memory_test::quiet;
using memory_test::StoreTest;
using memory_test::test_collection;
using testing::HasSubstr;

constexpr const char* kName = kDefaultCollection;

class ForgetTest : public StoreTest {
 protected:
  /// Whether any file of the store has these bytes, or any row of a segment this word.
  [[nodiscard]] bool is_left(const std::string& word, const std::string& bytes) const {
    for (const auto& file : std::filesystem::directory_iterator(store())) {
      std::ifstream stream(file.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(stream), {}};
      if (content.find(word) != std::string::npos || content.find(bytes) != std::string::npos) {
        return true;
      }
      if (file.path().extension() != ".parquet") continue;
      bool found = false;
      read_memory_file(file.path(), [&](const MemoryRow& row) {
        found = found || row.content.find(word) != std::string_view::npos;
      });
      if (found) return true;
    }
    return false;
  }
};

TEST_F(ForgetTest, LeavesNeitherTextNorVectorInAnyFile) {
  for (const bool sealed : {false, true}) {
    const std::string id = sealed ? "sealed" : "hot";
    ArrowStorage storage(store(), quiet());
    storage.create_collection(test_collection());
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < 300; ++i) memories.push_back(memory_of(i));
    memories[150].memory_id = id;
    memories[150].content = "only here stands xylophagous";
    storage.upsert(kName, memories);
    if (sealed) storage.checkpoint();
    const auto& vector = memories[150].embedding;
    const std::string bytes(reinterpret_cast<const char*>(vector.data()),
                            vector.size() * sizeof(float));
    EXPECT_TRUE(is_left("xylophagous", bytes));
    EXPECT_EQ(storage.forget(kName, std::vector<std::string>{id}), 1);
    EXPECT_FALSE(is_left("xylophagous", bytes));
    EXPECT_TRUE(is_left("number 149", bytes));
    storage.verify();
  }
}

TEST_F(ForgetTest, AMemoryThatCannotBeStoredSaysWhyAndNothingIsStored) {
  ArrowStorage storage(store(), quiet());
  storage.create_collection(test_collection());
  const auto message = [&](auto change) {
    std::vector<Memory> memories = {memory_of(1), memory_of(2)};
    change(memories[1]);
    return message_of<Error>([&] { storage.add(kName, memories); });
  };
  EXPECT_THAT(message([](Memory& m) { m.embedding[0] = NAN; }), HasSubstr("not finite"));
  EXPECT_THAT(message([](Memory& m) { m.embedding[0] = INFINITY; }), HasSubstr("not finite"));
  EXPECT_THAT(message([](Memory& m) { m.embedding.assign(16, 0); }), HasSubstr("zero vector"));
  EXPECT_THAT(message([](Memory& m) { m.embedding.assign(16, 3e38F); }), HasSubstr("overflows"));
  EXPECT_THAT(message([](Memory& m) { m.embedding.pop_back(); }),
              HasSubstr("vector of 15 numbers"));
  EXPECT_THAT(message([](Memory& m) { m.content = "ab\xff"; }), HasSubstr("not UTF-8 at byte 2"));
  EXPECT_THAT(message([](Memory& m) { m.content = "\xed\xa0\x80"; }), HasSubstr("at byte 0"));
  EXPECT_THAT(message([](Memory& m) { m.content.assign(100'000'000, 'a'); }),
              HasSubstr("split it"));
  EXPECT_THAT(message([](Memory& m) { m.metadata.extra = "[1]"; }), HasSubstr("no JSON object"));
  EXPECT_THAT(message([](Memory& m) { m.metadata.quality_score = 2; }), HasSubstr("in [0, 1]"));
  EXPECT_EQ(storage.stats().collections.at(0).num_memories, 0);
}

}  // namespace
}  // namespace aios
