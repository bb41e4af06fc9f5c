#include "storage/memory_segment_writer.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/base64.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "storage/arrow_errors.h"
#include "storage/atomic_file_stream.h"
#include "storage/memory_schema.h"

namespace aios {

float embedding_norm(std::span<const float> embedding) noexcept {
  double sum = 0;
  for (const float value : embedding) sum += static_cast<double>(value) * value;
  return static_cast<float>(std::sqrt(sum));
}

namespace {

namespace schema = memory_schema;
using parquet::schema::GroupNode;

/// The rows of a row group, column by column.
struct Columns {
  struct Texts {
    std::string bytes;
    std::vector<std::size_t> ends;
    void add(std::string_view text) {
      bytes += text;
      ends.push_back(bytes.size());
    }
  };
  std::array<Texts, 5> texts;  // memory_id, content, category, source, extra
  std::vector<int64_t> timestamps;
  std::vector<int64_t> expiries;       // of the rows that have one
  std::vector<int16_t> expiry_levels;  // 1: has one
  std::vector<int64_t> sequences;
  std::vector<float> quality_scores;
  std::vector<float> norms;
  std::vector<float> embeddings;

  void add(const MemoryRow& row) {
    const std::array<std::string_view, 5> values = {row.memory_id, row.content, row.category,
                                                    row.source, row.extra};
    for (std::size_t i = 0; i < values.size(); ++i) texts[i].add(values[i]);
    timestamps.push_back(row.timestamp);
    expiry_levels.push_back(row.expires_at ? 1 : 0);
    if (row.expires_at) expiries.push_back(*row.expires_at);
    sequences.push_back(row.sequence);
    quality_scores.push_back(row.quality_score);
    norms.push_back(embedding_norm(row.embedding));
    embeddings.insert(embeddings.end(), row.embedding.begin(), row.embedding.end());
  }
  [[nodiscard]] std::size_t num_rows() const noexcept { return sequences.size(); }
  [[nodiscard]] std::size_t num_text_bytes() const noexcept { return texts[1].bytes.size(); }
};

std::shared_ptr<parquet::WriterProperties> writer_properties(MemoryFileKind kind) {
  // Every column chunk is one page. The limits hold for all columns alike, and embeddings need it.
  constexpr int64_t kNever = std::numeric_limits<int32_t>::max();
  parquet::WriterProperties::Builder builder;
  builder.compression(parquet::Compression::ZSTD)
      ->disable_dictionary()
      ->enable_dictionary("metadata.category")
      ->enable_dictionary("metadata.source")
      ->enable_dictionary("metadata.extra")
      ->disable_statistics("embedding.list.element")
      ->disable_statistics("content")
      ->disable_statistics("norm")
      ->disable_statistics("sequence")
      ->set_size_statistics_level(parquet::SizeStatisticsLevel::None)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->disable_write_page_index()
      ->data_pagesize(kNever)
      ->write_batch_size(kNever)
      ->max_rows_per_page(kNever)
      ->enable_page_checksum();
  if (kind == MemoryFileKind::kSegment) {
    for (const char* column : {"sequence", "norm", "embedding.list.element"}) {
      builder.compression(column, parquet::Compression::UNCOMPRESSED);
    }
  }
  return builder.build();
}

/// Arrow's own schema, so that its readers see a list of fixed size.
std::string arrow_schema(int32_t dimension) {
  const auto text = [](const char* name) { return arrow::field(name, arrow::utf8(), false); };
  const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const auto metadata =
      arrow::struct_({text("category"), text("source"),
                      arrow::field("quality_score", arrow::float32(), false), text("extra")});
  const auto embedding =
      arrow::fixed_size_list(arrow::field("element", arrow::float32(), false), dimension);
  const arrow::Schema whole(
      {text("memory_id"), arrow::field("timestamp", time, false), arrow::field("expires_at", time),
       text("content"), arrow::field("metadata", metadata, false),
       arrow::field("sequence", arrow::int64(), false),
       arrow::field("norm", arrow::float32(), false), arrow::field("embedding", embedding, false)});
  PARQUET_ASSIGN_OR_THROW(const auto bytes, arrow::ipc::SerializeSchema(whole));
  return arrow::util::base64_encode(std::string_view(*bytes));
}

template <typename Writer, typename Value>
void write_values(parquet::ColumnWriter* column, std::span<const Value> values) {
  auto* const writer = static_cast<Writer*>(column);
  writer->WriteBatch(static_cast<int64_t>(values.size()), nullptr, nullptr, values.data());
  writer->Close();
}

void write_texts(parquet::ColumnWriter* column, const Columns::Texts& texts) {
  std::vector<parquet::ByteArray> values;
  std::size_t begin = 0;
  for (const std::size_t end : texts.ends) {
    values.emplace_back(static_cast<uint32_t>(end - begin),
                        reinterpret_cast<const uint8_t*>(texts.bytes.data()) + begin);
    begin = end;
  }
  write_values<parquet::ByteArrayWriter, parquet::ByteArray>(column, values);
}

void write_expiries(parquet::ColumnWriter* column, const Columns& rows) {
  auto* const writer = static_cast<parquet::Int64Writer*>(column);
  writer->WriteBatch(static_cast<int64_t>(rows.expiry_levels.size()), rows.expiry_levels.data(),
                     nullptr, rows.expiries.data());
  writer->Close();
}

/// Lists of `dimension` values: the first value of each has repetition level 0.
void write_lists(parquet::ColumnWriter* column, std::span<const float> values, int32_t dimension) {
  const std::vector<int16_t> definition_levels(values.size(), 1);
  std::vector<int16_t> repetition_levels(values.size(), 1);
  for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(dimension)) {
    repetition_levels[i] = 0;
  }
  auto* const writer = static_cast<parquet::FloatWriter*>(column);
  writer->WriteBatch(static_cast<int64_t>(values.size()), definition_levels.data(),
                     repetition_levels.data(), values.data());
  writer->Close();
}

}  // namespace

struct MemorySegmentWriter::Implementation {
  Implementation(const std::string& path, SegmentCollection of, MemoryFileKind file_kind)
      : collection(std::move(of)),
        kind(file_kind),
        file(path),
        sink(std::make_shared<AtomicFileStream>(file)),
        properties(writer_properties(kind)) {
    writing_parquet(path, [&] {
      writer = parquet::ParquetFileWriter::Open(sink, schema::file_schema(), properties);
    });
  }

  void write_group();
  /// Calls `write(column)` for the next column, after as many zeros as put the last
  /// `payload_bytes` that it writes on a boundary. The page header has no fixed length (its
  /// checksum is a variable-length integer), so a dry run over the same values counts it.
  template <typename Write>
  void write_aligned(parquet::RowGroupWriter& group, schema::Column column,
                     std::size_t payload_bytes, Write write);

  SegmentCollection collection;
  MemoryFileKind kind;
  AtomicFile file;
  std::shared_ptr<AtomicFileStream> sink;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::unique_ptr<parquet::ParquetFileWriter> writer;
  Columns rows;
  int64_t num_rows = 0;
};

template <typename Write>
void MemorySegmentWriter::Implementation::write_aligned(parquet::RowGroupWriter& group,
                                                        schema::Column column,
                                                        std::size_t payload_bytes, Write write) {
  if (kind == MemoryFileKind::kExport) return write(group.NextColumn());
  constexpr int kLeavesOfMetadata = 3;  // beyond its first: fields that follow have lower numbers
  const auto whole = schema::file_schema();
  const auto sole = std::static_pointer_cast<GroupNode>(GroupNode::Make(
      "schema", parquet::Repetition::REQUIRED, {whole->field(column - kLeavesOfMetadata)}));
  const auto counter = std::make_shared<arrow::io::MockOutputStream>();
  const auto dry_writer = parquet::ParquetFileWriter::Open(counter, sole, properties);
  const int64_t start = counter->GetExtentBytesWritten();
  write(dry_writer->AppendRowGroup()->NextColumn());
  const int64_t num_bytes = counter->GetExtentBytesWritten() - start;

  static constexpr std::array<std::byte, schema::kEmbeddingAlignment> kZeros{};
  const int64_t payload = file.position() + num_bytes - static_cast<int64_t>(payload_bytes);
  constexpr int64_t kAlignment = schema::kEmbeddingAlignment;
  file.write(std::span(kZeros).first(
      static_cast<std::size_t>((kAlignment - payload % kAlignment) % kAlignment)));
  write(group.NextColumn());
  if ((file.position() - static_cast<int64_t>(payload_bytes)) % kAlignment != 0) {
    throw IoError("cannot write '" + file.path() + "': a column missed its alignment");
  }
}

void MemorySegmentWriter::Implementation::write_group() {
  using Column = parquet::ColumnWriter*;
  parquet::RowGroupWriter& group = *writer->AppendRowGroup();
  write_texts(group.NextColumn(), rows.texts[0]);
  write_values<parquet::Int64Writer, int64_t>(group.NextColumn(), rows.timestamps);
  write_expiries(group.NextColumn(), rows);
  write_texts(group.NextColumn(), rows.texts[1]);
  write_texts(group.NextColumn(), rows.texts[2]);
  write_texts(group.NextColumn(), rows.texts[3]);
  write_values<parquet::FloatWriter, float>(group.NextColumn(), rows.quality_scores);
  write_texts(group.NextColumn(), rows.texts[4]);
  write_aligned(group, schema::kSequence, rows.num_rows() * sizeof(int64_t), [&](Column column) {
    write_values<parquet::Int64Writer, int64_t>(column, rows.sequences);
  });
  write_aligned(group, schema::kNorm, rows.num_rows() * sizeof(float), [&](Column column) {
    write_values<parquet::FloatWriter, float>(column, rows.norms);
  });
  write_aligned(group, schema::kEmbedding, rows.embeddings.size() * sizeof(float),
                [&](Column column) { write_lists(column, rows.embeddings, collection.dimension); });
  group.Close();
  rows = {};
}

MemorySegmentWriter::MemorySegmentWriter(const std::string& path, SegmentCollection collection,
                                         MemoryFileKind kind)
    : implementation_(std::make_unique<Implementation>(path, std::move(collection), kind)) {}

MemorySegmentWriter::~MemorySegmentWriter() = default;

void MemorySegmentWriter::add(const MemoryRow& row) {
  Implementation& self = *implementation_;
  constexpr std::size_t kMaxGroupText = std::size_t{256} << 20U;
  self.rows.add(row);
  ++self.num_rows;
  if (self.rows.num_rows() < static_cast<std::size_t>(schema::kRowsPerGroup) &&
      self.rows.num_text_bytes() < kMaxGroupText) {
    return;
  }
  writing_parquet(self.file.path(), [&] { self.write_group(); });
}

int64_t MemorySegmentWriter::finish() {
  Implementation& self = *implementation_;
  writing_parquet(self.file.path(), [&] {
    if (self.rows.num_rows() > 0) self.write_group();
    const auto key = [](std::string_view name) { return std::string(name); };
    self.writer->AddKeyValueMetadata(arrow::key_value_metadata(
        {key(schema::kVersionKey), key(schema::kCollectionKey), key(schema::kDimensionKey),
         key(schema::kMetricKey), key(schema::kEmbeddingModelKey), key(schema::kArrowSchemaKey)},
        {key(schema::kVersion), self.collection.name, std::to_string(self.collection.dimension),
         self.collection.metric, self.collection.embedding_model,
         arrow_schema(self.collection.dimension)}));
    self.writer->Close();
  });
  const int64_t num_bytes = self.file.position();
  self.file.commit();
  return num_bytes;
}

int64_t MemorySegmentWriter::num_rows() const noexcept { return implementation_->num_rows; }

}  // namespace aios
