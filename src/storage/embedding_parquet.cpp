#include "storage/embedding_parquet.h"

#include <arrow/api.h>
#include <parquet/arrow/writer.h>

#include <memory>

#include "storage/arrow_errors.h"
#include "storage/atomic_file_stream.h"

namespace aios {
namespace {

std::shared_ptr<arrow::Table> make_table(std::span<const std::string> texts,
                                         std::span<const float> embeddings, int32_t dimension) {
  const auto num_rows = static_cast<int64_t>(texts.size());
  arrow::StringBuilder builder;
  for (const std::string& text : texts) PARQUET_THROW_NOT_OK(builder.Append(text));
  PARQUET_ASSIGN_OR_THROW(const auto text_array, builder.Finish());

  const auto values = std::make_shared<arrow::FloatArray>(
      static_cast<int64_t>(embeddings.size()),
      arrow::Buffer::Wrap(embeddings.data(), embeddings.size()));
  const auto type =
      arrow::fixed_size_list(arrow::field("item", arrow::float32(), false), dimension);
  const auto embedding_array = std::make_shared<arrow::FixedSizeListArray>(type, num_rows, values);
  return arrow::Table::Make(arrow::schema({arrow::field("text", arrow::utf8(), false),
                                           arrow::field("embedding", type, false)}),
                            {text_array, embedding_array});
}

}  // namespace

void write_embedding_parquet(const std::string& path, std::span<const std::string> texts,
                             std::span<const float> embeddings, int32_t dimension) {
  constexpr int64_t kRowsPerGroup = int64_t{1} << 16U;
  AtomicFile file(path);
  writing_parquet(path, [&] {
    // Vectors repeat too seldom for a dictionary; the schema keeps their fixed size for Arrow.
    const auto properties = parquet::WriterProperties::Builder()
                                .disable_dictionary("embedding.list.element")
                                ->enable_page_checksum()
                                ->build();
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    const auto sink = std::make_shared<AtomicFileStream>(file);
    PARQUET_THROW_NOT_OK(parquet::arrow::WriteTable(*make_table(texts, embeddings, dimension),
                                                    arrow::default_memory_pool(), sink,
                                                    kRowsPerGroup, properties, arrow_properties));
  });
  file.commit();
}

}  // namespace aios
