#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <thread>

#include "memory/catalog_writer.h"
#include "memory/memory_test_support.h"
#include "memory/row_scan.h"

namespace aios {
namespace {

using memory_test::memory_of;
using memory_test::message_of;
using memory_test::quiet;
using memory_test::StoreTest;
using memory_test::test_collection;
using memory_test::vector_of;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kName = kDefaultCollection;

class VectorSearchTest : public StoreTest {
 protected:
  /// Memories [0, count), of which the first `num_sealed` are sealed.
  void open_with(uint32_t count, uint32_t num_sealed, Metric metric = Metric::kCosine) {
    storage_ = std::make_unique<ArrowStorage>(store(), quiet());
    CollectionInfo info = test_collection();
    info.metric = metric;
    storage_->create_collection(info);
    for (uint32_t i = 0; i < count; ++i) memories_.push_back(memory_of(i));
    storage_->add(kName, std::span(memories_).first(num_sealed));
    storage_->checkpoint();
    storage_->add(kName, std::span(memories_).subspan(num_sealed));
    search_ = std::make_unique<VectorSearch>(*storage_, 2);
    metric_ = metric;
  }

  /// Brute force in double over all memories that `passes`.
  template <typename Passes>
  [[nodiscard]] std::vector<std::string> expected(std::span<const float> query, std::size_t top_k,
                                                  Passes passes) const {
    std::vector<std::pair<float, std::string>> scored;
    for (const Memory& memory : memories_) {
      if (!passes(memory)) continue;
      scored.emplace_back(-exact_score(query, memory.embedding, metric_), memory.memory_id);
    }
    std::stable_sort(scored.begin(), scored.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < std::min(top_k, scored.size()); ++i)
      ids.push_back(scored[i].second);
    return ids;
  }

  static std::vector<std::string> ids_of(const std::vector<SearchHit>& hits) {
    std::vector<std::string> ids;
    for (const SearchHit& hit : hits) ids.push_back(hit.memory.memory_id);
    return ids;
  }

  std::unique_ptr<ArrowStorage> storage_;
  std::unique_ptr<VectorSearch> search_;
  std::vector<Memory> memories_;
  Metric metric_ = Metric::kCosine;
};

const auto kAll = [](const Memory& /*memory*/) { return true; };

TEST_F(VectorSearchTest, FindsWhatBruteForceFindsByEachMetric) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kL2}) {
    memories_.clear();
    search_.reset();
    storage_.reset();
    std::filesystem::remove_all(store());
    open_with(5000, 4500, metric);
    SearchRequest request;
    std::vector<float> batch;
    std::vector<std::vector<std::string>> expected_ids;
    for (uint32_t i = 0; i < 10; ++i) {
      request.embedding = vector_of(100000 + i);
      batch.insert(batch.end(), request.embedding.begin(), request.embedding.end());
      expected_ids.push_back(expected(request.embedding, 10, kAll));
      EXPECT_EQ(ids_of(search_->search(request)), expected_ids.back());
    }
    request.embedding.clear();
    const auto results = search_->search_batch(request, batch);
    for (std::size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(ids_of(results[i]), expected_ids[i]);
    }
  }
}

TEST_F(VectorSearchTest, EveryPrecisionFindsTheSameAfterRescoring) {
  open_with(3000, 2500);
  for (const auto precision : {VectorPrecision::kF16, VectorPrecision::kBF16,
                               VectorPrecision::kInt8, VectorPrecision::kBinary}) {
    SearchRequest request;
    request.precision = precision;
    // Sixteen bits say little of a vector: all rows are candidates then.
    if (precision == VectorPrecision::kBinary) request.rescore = 300;
    for (uint32_t i = 0; i < 10; ++i) {
      request.embedding = vector_of(100000 + i);
      EXPECT_EQ(ids_of(search_->search(request)), expected(request.embedding, 10, kAll))
          << precision_name(precision);
    }
  }
}

TEST_F(VectorSearchTest, AFilterGivesKResultsWheneverThereAreK) {
  open_with(5000, 4500);
  const std::map<std::string, std::function<bool(const Memory&)>> filters = {
      {"category = 'even'", [](const Memory& m) { return m.metadata.category == "even"; }},
      {"timestamp < 1000050", [](const Memory& m) { return m.timestamp < 1000050; }},
      {"extra.n in (3, 4999, 4600)",
       [](const Memory& m) {
         return m.memory_id == "id-3" || m.memory_id == "id-4999" || m.memory_id == "id-4600";
       }},
      {"category = 'none'", [](const Memory& /*m*/) { return false; }}};
  for (const auto& [filter, passes] : filters) {
    for (const auto precision : {VectorPrecision::kF32, VectorPrecision::kInt8}) {
      SearchRequest request;
      request.embedding = vector_of(77777);
      request.filter = filter;
      request.precision = precision;
      EXPECT_EQ(ids_of(search_->search(request)), expected(request.embedding, 10, passes))
          << filter;
    }
  }
}

TEST_F(VectorSearchTest, FollowsEveryChange) {
  open_with(200, 100);
  SearchRequest request;
  request.top_k = 3;
  request.embedding = memories_[150].embedding;
  EXPECT_EQ(search_->search(request).at(0).memory.memory_id, "id-150");
  storage_->remove(kName, std::vector<std::string>{"id-150", "id-7"});
  EXPECT_NE(search_->search(request).at(0).memory.memory_id, "id-150");
  request.embedding = memories_[7].embedding;
  EXPECT_NE(search_->search(request).at(0).memory.memory_id, "id-7");
  for (uint32_t i = 1000; i < 1040; ++i) {
    const Memory memory = memory_of(i);
    storage_->add(kName, std::span(&memory, 1));
    request.embedding = memory.embedding;
    ASSERT_EQ(search_->search(request).at(0).memory.memory_id, memory.memory_id);
  }
  storage_->checkpoint();
  EXPECT_EQ(search_->search(request).at(0).memory.memory_id, "id-1039");
  Memory expired = memory_of(2000);
  expired.expires_at = now_microseconds() + 50'000;
  storage_->add(kName, std::span(&expired, 1));
  request.embedding = expired.embedding;
  EXPECT_EQ(search_->search(request).at(0).memory.memory_id, "id-2000");
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_NE(search_->search(request).at(0).memory.memory_id, "id-2000");
}

TEST_F(VectorSearchTest, TextIsWordsWhateverItsCharacters) {
  open_with(50, 25);
  SearchRequest request;
  request.text = "number 33";
  request.top_k = 1;
  EXPECT_THAT(ids_of(search_->search(request)), ElementsAre("id-33"));
  for (const char* text : {"\"", "' OR 1=1 --", "NEAR(", "content: 33", "33 *", "(33", "33^2",
                           "-33", "AND OR NOT 33", "{33}"}) {
    request.text = text;
    EXPECT_NO_THROW((void)search_->search(request)) << text;
  }
  request.text = "***";
  EXPECT_TRUE(search_->search(request).empty());
}

TEST_F(VectorSearchTest, AHybridSearchFusesRanks) {
  open_with(50, 25);
  SearchRequest request;
  request.text = "33";
  request.embedding = memories_[20].embedding;
  request.top_k = 2;
  const auto hits = search_->search(request);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_THAT(ids_of(hits), testing::Contains("id-33"));
  for (const SearchHit& hit : hits) EXPECT_LE(hit.score, 1);
}

TEST_F(VectorSearchTest, WeightsMoveTheRecentAndTheGoodUp) {
  open_with(0, 0);
  for (uint32_t i = 0; i < 4; ++i) {
    Memory memory = memory_of(i);
    memory.embedding = vector_of(1);
    memory.timestamp = now_microseconds() - int64_t{i} * 86400 * 1'000'000;
    memory.metadata.quality_score = i == 3 ? 1 : 0;
    memories_.push_back(memory);
  }
  storage_->add(kName, memories_);
  SearchRequest request;
  request.embedding = vector_of(1);
  request.recency_weight = 0.5F;
  request.recency_half_life = 86400;
  EXPECT_THAT(ids_of(search_->search(request)), ElementsAre("id-0", "id-1", "id-2", "id-3"));
  request.quality_weight = 1;
  EXPECT_EQ(search_->search(request).at(0).memory.memory_id, "id-3");
}

TEST_F(VectorSearchTest, MarginalRelevancePassesOverCopies) {
  open_with(0, 0);
  for (uint32_t i = 0; i < 5; ++i) {
    Memory memory = memory_of(i);
    if (i < 4) memory.embedding = memory_of(0).embedding;
    memories_.push_back(memory);
  }
  storage_->add(kName, memories_);
  SearchRequest request;
  request.embedding = memory_of(0).embedding;
  request.top_k = 2;
  EXPECT_THAT(ids_of(search_->search(request)), ElementsAre("id-0", "id-1"));
  request.mmr_lambda = 0.3F;
  EXPECT_THAT(ids_of(search_->search(request)), ElementsAre("id-0", "id-4"));
}

TEST_F(VectorSearchTest, MinScoreCutsTheList) {
  open_with(100, 50);
  SearchRequest request;
  request.embedding = memories_[5].embedding;
  request.min_score = 0.999F;
  EXPECT_THAT(ids_of(search_->search(request)), ElementsAre("id-5"));
}

TEST_F(VectorSearchTest, HitsHoldWhatWasAskedFor) {
  open_with(20, 10);
  for (const std::size_t i : {5U, 15U}) {
    SearchRequest request;
    request.embedding = memories_[i].embedding;
    request.top_k = 1;
    EXPECT_EQ(search_->search(request).at(0).memory.content, memories_[i].content);
    EXPECT_EQ(search_->search(request).at(0).memory.embedding, memories_[i].embedding);
    request.include_content = false;
    request.include_embedding = false;
    const std::vector<SearchHit> hits = search_->search(request);
    EXPECT_THAT(ids_of(hits), ElementsAre(memories_[i].memory_id));
    EXPECT_TRUE(hits.at(0).memory.content.empty());
    EXPECT_TRUE(hits.at(0).memory.embedding.empty());
  }
}

TEST_F(VectorSearchTest, ARequestThatMakesNoSenseSaysWhy) {
  open_with(10, 5);
  const auto message = [&](auto change) {
    SearchRequest request;
    request.embedding = vector_of(1);
    change(request);
    return message_of<Error>([&] { (void)search_->search(request); });
  };
  EXPECT_THAT(message([](auto& r) { r.top_k = 0; }), HasSubstr("top_k must be"));
  EXPECT_THAT(message([](auto& r) { r.embedding.clear(); }), HasSubstr("needs an embedding"));
  EXPECT_THAT(message([](auto& r) { r.embedding.pop_back(); }), HasSubstr("another collection"));
  EXPECT_THAT(message([](auto& r) { r.embedding_model = "another"; }),
              AllOf(HasSubstr("by 'another'"), HasSubstr("or aios memory reembed")));
  EXPECT_THAT(message([](auto& r) { r.embedding[3] = NAN; }), HasSubstr("not finite"));
  EXPECT_THAT(message([](auto& r) { r.collection = "none"; }), HasSubstr("no collection 'none'"));
  EXPECT_THAT(message([](auto& r) { r.filter = "category ="; }), HasSubstr("at byte 10"));
  EXPECT_THAT(message([](auto& r) { r.mmr_lambda = 2; }), HasSubstr("mmr_lambda"));
}

}  // namespace
}  // namespace aios
