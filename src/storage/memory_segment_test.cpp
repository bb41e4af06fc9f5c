#include "storage/memory_segment.h"

#include <gmock/gmock.h>

#include <cmath>

#include "aios/error.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_segment_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using storage_test::FolderTest;
using storage_test::message_of;

constexpr int32_t kDimension = 7;

std::string content_of(int64_t row) {
  return "content of row " + std::to_string(row) +
         std::string(static_cast<std::size_t>(row % 50), 'x');
}

std::vector<float> embedding_of(int64_t row) {
  std::vector<float> embedding(kDimension);
  for (std::size_t i = 0; i < embedding.size(); ++i) {
    embedding[i] =
        static_cast<float>(std::sin(static_cast<double>(row) * 13.7 + static_cast<double>(i)));
  }
  return embedding;
}

SegmentCollection test_collection() { return {"default", kDimension, "cosine", "test"}; }

class MemorySegmentTest : public FolderTest {
 protected:
  std::string write_rows(int64_t num_rows, MemoryFileKind kind = MemoryFileKind::kSegment) const {
    MemorySegmentWriter writer(path("s.parquet"), test_collection(), kind);
    for (int64_t i = 0; i < num_rows; ++i) {
      const std::string id = "id-" + std::to_string(i);
      const std::string content = content_of(i);
      const std::vector<float> embedding = embedding_of(i);
      MemoryRow row{3 * i + 1, id, 1000 + i, {}, content, "notes", "a", 0.5F, "{}", embedding};
      if (i % 3 == 0) row.expires_at = 5000 + i;
      writer.add(row);
    }
    const int64_t num_bytes = writer.finish();
    EXPECT_EQ(static_cast<std::size_t>(num_bytes), std::filesystem::file_size(path("s.parquet")));
    return path("s.parquet");
  }
};

TEST_F(MemorySegmentTest, GivesBackWhatWasWritten) {
  constexpr int64_t kRows = 20000;  // ten row groups
  const auto segment = MemorySegment::open(write_rows(kRows));
  EXPECT_EQ(segment->num_rows(), kRows);
  EXPECT_EQ(segment->collection(), test_collection());
  EXPECT_EQ(segment->groups().size(), 10U);
  for (int64_t i = 0; i < kRows; i += 371) {
    ASSERT_EQ(segment->find(3 * i + 1), i);
    EXPECT_EQ(segment->find(3 * i + 2), -1);
    EXPECT_EQ(segment->content(i), content_of(i));
    EXPECT_THAT(segment->embedding(i), testing::ElementsAreArray(embedding_of(i)));
  }
  EXPECT_EQ(segment->find(0), -1);
  EXPECT_EQ(segment->find(3 * kRows + 1), -1);
  EXPECT_NO_THROW(segment->verify());
}

TEST_F(MemorySegmentTest, EmbeddingsAreAlignedWhereTheyAreMapped) {
  const auto segment = MemorySegment::open(write_rows(9000));
  for (const auto& group : segment->groups()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(group.embeddings.data()) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(group.sequences.data()) % 64, 0U);
  }
}

TEST_F(MemorySegmentTest, ReadsRowsOfSegmentsAndExportsAlike) {
  for (const MemoryFileKind kind : {MemoryFileKind::kSegment, MemoryFileKind::kExport}) {
    int64_t i = 0;
    const auto collection = read_memory_file(write_rows(9000, kind), [&](const MemoryRow& row) {
      ASSERT_EQ(row.sequence, 3 * i + 1);
      ASSERT_EQ(row.memory_id, "id-" + std::to_string(i));
      ASSERT_EQ(row.timestamp, 1000 + i);
      ASSERT_EQ(row.expires_at, i % 3 == 0 ? std::optional<int64_t>(5000 + i) : std::nullopt);
      ASSERT_EQ(row.content, content_of(i));
      ASSERT_EQ(row.category, "notes");
      ASSERT_EQ(row.quality_score, 0.5F);
      ASSERT_THAT(row.embedding, testing::ElementsAreArray(embedding_of(i)));
      ++i;
    });
    EXPECT_EQ(i, 9000);
    EXPECT_EQ(collection, test_collection());
  }
}

TEST_F(MemorySegmentTest, RefusesEveryTruncation) {
  const std::string bytes = storage_test::read_file(write_rows(20));
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const std::string cut = write("cut.parquet", std::string_view(bytes).substr(0, size));
    EXPECT_THROW((void)MemorySegment::open(cut), Error) << size;
  }
}

TEST_F(MemorySegmentTest, SurvivesWrongBytesAnywhere) {
  const std::string bytes = storage_test::read_file(write_rows(20));
  for (std::size_t i = 0; i < bytes.size(); i += 17) {  // all of them take long
    std::string wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x41);
    const std::string damaged = write("damaged.parquet", wrong);
    try {
      const auto segment = MemorySegment::open(damaged);
      for (int64_t row = 0; row < segment->num_rows(); ++row) (void)segment->content(row);
      segment->verify();
    } catch (const FormatError&) {  // what a damaged file deserves
    }
  }
}

TEST_F(MemorySegmentTest, AnotherParquetFileIsNoSegment) {
  EXPECT_THAT(message_of<FormatError>(
                  [&] { (void)MemorySegment::open(write_rows(20, MemoryFileKind::kExport)); }),
              testing::HasSubstr("a column is not one plain page"));
  EXPECT_THAT(message_of<IoError>([&] { (void)MemorySegment::open(path("absent")); }),
              testing::HasSubstr("cannot map"));
}

}  // namespace
}  // namespace aios
