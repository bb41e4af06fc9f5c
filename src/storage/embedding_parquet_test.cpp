#include "storage/embedding_parquet.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include "aios/error.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace storage_test;

using EmbeddingParquetTest = FolderTest;

std::shared_ptr<arrow::Table> read_table(const std::string& path) {
  auto file = arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ).ValueOrDie();
  auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  return reader->ReadTable().ValueOrDie();
}

TEST_F(EmbeddingParquetTest, ArrowReadsTextsAndFixedSizeVectors) {
  const std::vector<std::string> texts = {"one", "", "zw\xc3\xb6lf"};
  const std::vector<float> embeddings = {0.25F, -1, 3, 4, 5e-30F, 6};
  write_embedding_parquet(path("e.parquet"), texts, embeddings, 2);

  const auto table = read_table(path("e.parquet"));
  ASSERT_EQ(table->num_rows(), 3);
  EXPECT_THAT(table->ColumnNames(), ElementsAre("text", "embedding"));
  const auto& text = static_cast<const arrow::StringArray&>(*table->column(0)->chunk(0));
  const auto& vectors = static_cast<const arrow::FixedSizeListArray&>(*table->column(1)->chunk(0));
  const auto& values = static_cast<const arrow::FloatArray&>(*vectors.values());
  EXPECT_EQ(vectors.list_type()->list_size(), 2);
  for (int64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(text.GetString(row), texts[static_cast<std::size_t>(row)]);
  }
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    EXPECT_EQ(values.Value(static_cast<int64_t>(i)), embeddings[i]);
  }
  EXPECT_THAT(files(), ElementsAre("e.parquet"));
}

TEST_F(EmbeddingParquetTest, NoTextsMakeAnEmptyTable) {
  write_embedding_parquet(path("e.parquet"), {}, {}, 384);
  EXPECT_EQ(read_table(path("e.parquet"))->num_rows(), 0);
}

TEST_F(EmbeddingParquetTest, AnUnwritableFolderIsAnIoError) {
  EXPECT_THAT(message_of<IoError>([&] { write_embedding_parquet(path("absent/e"), {}, {}, 2); }),
              HasSubstr("absent/e"));
}

}  // namespace
}  // namespace aios
