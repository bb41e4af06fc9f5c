#include <cmath>

#include "memory/memory_test_support.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::message_of;
using memory_test::quiet;
using memory_test::StoreTest;
using memory_test::test_collection;
using testing::HasSubstr;

constexpr const char* kName = kDefaultCollection;

/// Vectors whose first number is the length of the text.
class Lengths final : public EmbeddingProvider {
 public:
  explicit Lengths(std::size_t dimension) : dimension_(dimension) {}
  [[nodiscard]] std::string embedding_model() const override { return "lengths"; }
  [[nodiscard]] std::vector<float> embed(std::span<const std::string> texts) override {
    std::vector<float> vectors;
    for (const std::string& text : texts) {
      vectors.resize(vectors.size() + dimension_, 1);
      vectors[vectors.size() - dimension_] = static_cast<float>(text.size());
      if (text == nan_of) vectors.back() = NAN;
      if (text == longer_of) vectors.push_back(1);
      if (during) during();
    }
    return vectors;
  }
  std::string nan_of = "none";
  std::string longer_of = "none";
  std::function<void()> during;

 private:
  std::size_t dimension_;
};

class ReembeddingTest : public StoreTest {
 protected:
  ReembeddingTest() : storage_(store(), quiet()) {
    storage_.create_collection(test_collection());
    for (uint32_t i = 0; i < 200; ++i) {
      storage_.add(kName, std::vector<Memory>{memory_of(i)});
      if (i == 120) storage_.compact();
    }
  }
  void expect_lengths(std::size_t dimension, std::size_t num_memories) const {
    ListRequest all;
    all.limit = 1000;
    const std::vector<Memory> memories = storage_.list(all);
    EXPECT_EQ(memories.size(), num_memories);
    for (const Memory& memory : memories) {
      ASSERT_EQ(memory.embedding.size(), dimension);
      EXPECT_EQ(memory.embedding[0], static_cast<float>(memory.content.size()));
    }
    EXPECT_EQ(storage_.verify().num_memories, static_cast<int64_t>(num_memories));
  }
  ArrowStorage storage_;
};

TEST_F(ReembeddingTest, MemoriesThatComeMeanwhileAreTakenAlong) {
  Lengths lengths(5);
  uint32_t next = 200;
  lengths.during = [&] {
    if (next == 230) return;
    storage_.add(kName, std::vector<Memory>{memory_of(next++)});
    storage_.remove(kName, std::vector<std::string>{memory_of(next - 150).memory_id});
    if (next == 215) storage_.compact();
  };
  const ReembedResult result = storage_.reembed(kName, lengths);
  EXPECT_EQ(result.num_resumed, 0);
  EXPECT_GE(result.num_embedded, 200);
  expect_lengths(5, 200);
  EXPECT_EQ(storage_.collection(kName).embedding_model, "lengths");
  storage_.checkpoint();
  expect_lengths(5, 200);
}

TEST_F(ReembeddingTest, AVectorThatCannotBeStoredNamesItsMemoryAndNothingChanges) {
  Lengths lengths(5);
  lengths.nan_of = memory_of(130).content;
  EXPECT_THAT(
      message_of<FormatError>([&] { storage_.reembed(kName, lengths); }),
      testing::AllOf(HasSubstr("'" + memory_of(130).memory_id + "'"), HasSubstr("not finite")));
  lengths.nan_of = "none";
  lengths.longer_of = memory_of(130).content;
  EXPECT_THAT(message_of<StorageError>([&] { storage_.reembed(kName, lengths); }),
              HasSubstr("vectors of different dimensions"));
  EXPECT_EQ(storage_.collection(kName).dimension, test_collection().dimension);
  EXPECT_EQ(storage_.get(kName, memory_of(3).memory_id)->embedding, memory_of(3).embedding);
  lengths.longer_of = "none";
  const ReembedResult result = storage_.reembed(kName, lengths);
  EXPECT_EQ(result.num_resumed, 128);  // two batches
  EXPECT_EQ(result.num_embedded, 72);
  expect_lengths(5, 200);
}

TEST_F(ReembeddingTest, AnEmptyCollectionChangesItsModel) {
  storage_.create_collection({"empty", 3, Metric::kCosine, "a"});
  Lengths lengths(4);
  EXPECT_EQ(storage_.reembed("empty", lengths).num_embedded, 0);
  EXPECT_EQ(storage_.collection("empty").dimension, 4);
  EXPECT_EQ(storage_.collection("empty").embedding_model, "lengths");
}

TEST_F(ReembeddingTest, AReadOnlyStoreIsLeftAsItIs) {
  StorageConfig reading;
  reading.read_only = true;
  ArrowStorage reader(store(), reading);
  Lengths lengths(4);
  EXPECT_THAT(message_of<StorageError>([&] { reader.reembed(kName, lengths); }),
              HasSubstr("opened read-only"));
}

}  // namespace
}  // namespace aios
