#include <fstream>
#include <sstream>
#include <thread>

#include "memory/memory_json.h"
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

/// Vectors of the length of the text.
class LengthEmbeddings final : public EmbeddingProvider {
 public:
  [[nodiscard]] std::string embedding_model() const override { return "length"; }
  [[nodiscard]] std::vector<float> embed(std::span<const std::string> texts) override {
    std::vector<float> vectors;
    for (const std::string& text : texts) {
      vectors.push_back(1);
      vectors.push_back(static_cast<float>(text.size()));
    }
    return vectors;
  }
};

class StoreTransferTest : public StoreTest {
 protected:
  /// Sealed, removed, edited, hot and expiring memories.
  [[nodiscard]] std::unique_ptr<ArrowStorage> mixed_store() const {
    auto storage = std::make_unique<ArrowStorage>(store(), quiet());
    storage->create_collection(test_collection());
    std::vector<Memory> memories;
    for (uint32_t i = 0; i < 60; ++i) memories.push_back(memory_of(i));
    memories[7].expires_at = 4'000'000'000'000'000;
    storage->add(kName, std::span(memories).first(40));
    storage->checkpoint();
    storage->add(kName, std::span(memories).subspan(40));
    const std::vector<std::string> gone = {"id-3", "id-45"};
    storage->remove(kName, gone);
    storage->edit(kName, "id-5", {"edited \"one\"", "source\n", 0.25F, R"({"a":[1,2]})"}, {});
    return storage;
  }

  static std::vector<Memory> all(const ArrowStorage& storage) {
    ListRequest request;
    request.limit = 1000;
    return storage.list(request);
  }

  static void expect_same(const ArrowStorage& a, const ArrowStorage& b) {
    const std::vector<Memory> expected = all(a);
    const std::vector<Memory> found = all(b);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(same(found[i], expected[i])) << expected[i].memory_id;
    }
  }
};

TEST_F(StoreTransferTest, WhatIsExportedIsImportedAsItWas) {
  const auto storage = mixed_store();
  for (const MemoryFormat format : {MemoryFormat::kParquet, MemoryFormat::kJsonLines}) {
    const bool lines = format == MemoryFormat::kJsonLines;
    const std::string file = path("export");
    ExportRequest request;
    request.format = format;
    EXPECT_EQ(storage->export_to(file, request), 58);
    ArrowStorage copy(path(lines ? "lines" : "parquet"), quiet());
    ImportResult result;
    if (lines) {
      std::ifstream stream(file);
      result = copy.import_lines(stream, file);
    } else {
      result = copy.import_parquet(file);
      EXPECT_EQ(copy.collection(kName).embedding_model, "test");
    }
    EXPECT_EQ(result.num_read, 58);
    EXPECT_EQ(result.num_added, 58);
    expect_same(*storage, copy);
    request.filter = "category = 'odd'";
    EXPECT_EQ(storage->export_to(file, request), 27);  // of 30, less 3, 5 and 45
  }
}

TEST_F(StoreTransferTest, ImportsAreIdempotentOrReplace) {
  const auto storage = mixed_store();
  storage->export_to(path("export"));
  EXPECT_EQ(storage->import_parquet(path("export")).num_added, 0);
  ImportRequest request;
  request.replaces = true;
  EXPECT_EQ(storage->import_parquet(path("export"), request).num_added, 58);
  EXPECT_EQ(all(*storage).size(), 58U);
}

TEST_F(StoreTransferTest, LinesWithoutVectorsGetThem) {
  ArrowStorage storage(store(), quiet());
  LengthEmbeddings embeddings;
  ImportRequest request;
  request.embeddings = &embeddings;
  std::istringstream lines(
      "{\"content\":\"four\"}\n\n{\"content\":\"sixsix\",\"memory_id\":\"b\"}");
  EXPECT_EQ(storage.import_lines(lines, "-", request).num_added, 2);
  EXPECT_EQ(storage.get(kName, "b")->embedding, (std::vector<float>{1, 6}));
  EXPECT_EQ(storage.collection(kName).embedding_model, "length");
}

TEST_F(StoreTransferTest, ALineThatIsNoMemorySaysWhichAndWhy) {
  ArrowStorage storage(store(), quiet());
  const auto message = [&](const std::string& line) {
    std::istringstream lines("\n" + line);
    return message_of<Error>([&] { storage.import_lines(lines, "notes", {}); });
  };
  EXPECT_THAT(message("{"), HasSubstr("'notes' line 2 is no JSON"));
  EXPECT_THAT(message(std::string("{\"content\":\"a\"}\0", 16)), HasSubstr("is no JSON"));
  EXPECT_THAT(message("[1]"), HasSubstr("is no JSON object"));
  EXPECT_THAT(message("{\"memory_id\":\"a\"}"), HasSubstr("has no content"));
  EXPECT_THAT(message(R"({"content":7})"), HasSubstr("a content that is no text"));
  EXPECT_THAT(message(R"({"content":"a","contents":"b"})"), HasSubstr("a field 'contents'"));
  EXPECT_THAT(message(R"({"content":"a","timestamp":1.5})"), HasSubstr("no whole number"));
  EXPECT_THAT(message(R"({"content":"a","metadata":{"quality_score":"x"}})"),
              HasSubstr("quality_score that is no number"));
  EXPECT_THAT(message(R"({"content":"a","embedding":[1,"x"]})"), HasSubstr("what is no number"));
  EXPECT_THAT(message(R"({"content":"a","embedding":[1e300,1]})"), HasSubstr("not finite"));
  EXPECT_THAT(message(R"({"content":"a"})"), HasSubstr("nothing to make one"));
}

TEST_F(StoreTransferTest, ABackupIsTheStoreOfOneMomentWhileItIsWritten) {
  const auto storage = mixed_store();
  storage->backup(path("quiet"));
  expect_same(*storage, ArrowStorage(path("quiet"), quiet()));
  EXPECT_THAT(message_of<IoError>([&] { storage->backup(path("quiet")); }), HasSubstr("is there"));

  std::thread writer([&] {
    for (uint32_t i = 100; i < 300; ++i) {
      const Memory memory = memory_of(i);
      storage->add(kName, std::span(&memory, 1));
      if (i % 50 == 0) storage->checkpoint();
    }
  });
  for (int i = 0; i < 5; ++i) storage->backup(path("backup" + std::to_string(i)));
  writer.join();
  std::size_t least = 58;
  for (int i = 0; i < 5; ++i) {
    const ArrowStorage copy(path("backup" + std::to_string(i)), quiet());
    const auto num_memories = static_cast<std::size_t>(copy.verify().num_memories);
    EXPECT_GE(num_memories, least);
    least = num_memories;
    const std::vector<Memory> memories = all(copy);
    ASSERT_EQ(memories.size(), num_memories);
    for (std::size_t k = 58; k < memories.size(); ++k) {  // what was added first is there first
      EXPECT_EQ(memories[k].memory_id, "id-" + std::to_string(100 + k - 58));
    }
  }
}

}  // namespace
}  // namespace aios
