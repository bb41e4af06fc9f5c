#include "storage/memory_file_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "storage/arrow_errors.h"
#include "storage/memory_schema.h"

namespace aios {
namespace {

namespace schema = memory_schema;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw FormatError("'" + path + "' holds no memories that this build can read: " + what);
}

/// Texts of a column of any of Arrow's string types; empty where there is none.
class TextColumn {
 public:
  TextColumn(const std::shared_ptr<arrow::Array>& array, const std::string& name,
             const std::string& path)
      : array_(array) {
    if (array == nullptr || array->type_id() == arrow::Type::STRING ||
        array->type_id() == arrow::Type::LARGE_STRING ||
        array->type_id() == arrow::Type::STRING_VIEW) {
      return;
    }
    fail(path, "column '" + name + "' is " + array->type()->ToString() + ", not text");
  }
  [[nodiscard]] std::string_view at(int64_t row) const {
    if (array_ == nullptr || array_->IsNull(row)) return {};
    if (array_->type_id() == arrow::Type::STRING) {
      return static_cast<const arrow::StringArray&>(*array_).GetView(row);
    }
    if (array_->type_id() == arrow::Type::STRING_VIEW) {
      return static_cast<const arrow::StringViewArray&>(*array_).GetView(row);
    }
    return static_cast<const arrow::LargeStringArray&>(*array_).GetView(row);
  }

 private:
  std::shared_ptr<arrow::Array> array_;
};

/// Microseconds, from a timestamp of any unit or an integer; 0 where there is none.
class TimeColumn {
 public:
  TimeColumn(const std::shared_ptr<arrow::Array>& array, const std::string& name,
             const std::string& path)
      : array_(array) {
    if (array == nullptr || array->type_id() == arrow::Type::INT64) return;
    if (array->type_id() != arrow::Type::TIMESTAMP) {
      fail(path, "column '" + name + "' is " + array->type()->ToString() + ", not a time");
    }
    switch (static_cast<const arrow::TimestampType&>(*array->type()).unit()) {
      case arrow::TimeUnit::SECOND:
        multiplier_ = 1000000;
        break;
      case arrow::TimeUnit::MILLI:
        multiplier_ = 1000;
        break;
      case arrow::TimeUnit::MICRO:
        break;
      case arrow::TimeUnit::NANO:
        divisor_ = 1000;
        break;
    }
  }
  [[nodiscard]] std::optional<int64_t> at(int64_t row) const {
    if (array_ == nullptr || array_->IsNull(row)) return std::nullopt;
    // A timestamp's values are stored as an Int64Array's.
    const int64_t value = array_->data()->GetValues<int64_t>(1)[row];
    int64_t scaled = 0;
    if (__builtin_mul_overflow(value, multiplier_, &scaled)) return std::nullopt;
    return scaled / divisor_;
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  int64_t multiplier_ = 1;
  int64_t divisor_ = 1;
};

/// Lists of numbers, of fixed or of variable length, as spans of floats.
class EmbeddingColumn {
 public:
  EmbeddingColumn(const std::shared_ptr<arrow::Array>& array, const std::string& path)
      : array_(array), path_(path) {
    if (array == nullptr) fail(path, "it has no column 'embedding'");
    switch (array->type_id()) {
      case arrow::Type::FIXED_SIZE_LIST:
        values_ = static_cast<const arrow::FixedSizeListArray&>(*array).values();
        break;
      case arrow::Type::LIST:
        values_ = static_cast<const arrow::ListArray&>(*array).values();
        break;
      case arrow::Type::LARGE_LIST:
        values_ = static_cast<const arrow::LargeListArray&>(*array).values();
        break;
      default:
        fail(path, "column 'embedding' is " + array->type()->ToString() + ", not a list");
    }
    if (values_->type_id() != arrow::Type::FLOAT && values_->type_id() != arrow::Type::DOUBLE) {
      fail(path, "the elements of 'embedding' are " + values_->type()->ToString());
    }
    if (values_->null_count() > 0) fail(path, "an embedding has a null");
  }

  /// The span lives until the next call.
  [[nodiscard]] std::span<const float> at(int64_t row) {
    if (array_->IsNull(row)) fail(path_, "an embedding is null");
    const auto [offset, length] = range(row);
    if (values_->type_id() == arrow::Type::FLOAT) {
      const float* const values =
          static_cast<const arrow::FloatArray&>(*values_).raw_values() + offset;
      return {values, static_cast<std::size_t>(length)};
    }
    const double* const values =
        static_cast<const arrow::DoubleArray&>(*values_).raw_values() + offset;
    converted_.resize(static_cast<std::size_t>(length));
    for (std::size_t i = 0; i < converted_.size(); ++i) {
      converted_[i] = static_cast<float>(values[i]);
    }
    return converted_;
  }

 private:
  [[nodiscard]] std::pair<int64_t, int64_t> range(int64_t row) const {
    if (array_->type_id() == arrow::Type::FIXED_SIZE_LIST) {
      const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*array_);
      return {lists.value_offset(row), lists.value_length(row)};
    }
    if (array_->type_id() == arrow::Type::LIST) {
      const auto& lists = static_cast<const arrow::ListArray&>(*array_);
      return {lists.value_offset(row), lists.value_length(row)};
    }
    const auto& lists = static_cast<const arrow::LargeListArray&>(*array_);
    return {lists.value_offset(row), lists.value_length(row)};
  }

  std::shared_ptr<arrow::Array> array_;
  std::shared_ptr<arrow::Array> values_;
  std::string path_;
  std::vector<float> converted_;
};

float number_at(const std::shared_ptr<arrow::Array>& array, int64_t row) {
  if (array == nullptr || array->IsNull(row)) return 0;
  if (array->type_id() == arrow::Type::FLOAT) {
    return static_cast<const arrow::FloatArray&>(*array).Value(row);
  }
  return static_cast<float>(static_cast<const arrow::DoubleArray&>(*array).Value(row));
}

std::shared_ptr<arrow::Array> field_of(const std::shared_ptr<arrow::Array>& metadata,
                                       const std::string& name) {
  if (metadata == nullptr) return nullptr;
  return static_cast<const arrow::StructArray&>(*metadata).GetFieldByName(name);
}

void visit_batch(const arrow::RecordBatch& batch, const std::string& path,
                 const std::function<void(const MemoryRow&)>& visit) {
  const auto column = [&](const std::string& name) { return batch.GetColumnByName(name); };
  const auto metadata = column("metadata");
  if (metadata != nullptr && metadata->type_id() != arrow::Type::STRUCT) {
    fail(path, "column 'metadata' is no struct");
  }
  const auto quality = field_of(metadata, "quality_score");
  if (quality != nullptr && quality->type_id() != arrow::Type::FLOAT &&
      quality->type_id() != arrow::Type::DOUBLE) {
    fail(path, "'quality_score' is no number");
  }
  if (column("content") == nullptr) fail(path, "it has no column 'content'");
  const TextColumn memory_id(column("memory_id"), "memory_id", path);
  const TextColumn content(column("content"), "content", path);
  const TextColumn category(field_of(metadata, "category"), "category", path);
  const TextColumn source(field_of(metadata, "source"), "source", path);
  const TextColumn extra(field_of(metadata, "extra"), "extra", path);
  const TimeColumn timestamp(column("timestamp"), "timestamp", path);
  const TimeColumn expires_at(column("expires_at"), "expires_at", path);
  const TimeColumn sequence(column("sequence"), "sequence", path);
  EmbeddingColumn embedding(column("embedding"), path);

  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    MemoryRow memory;
    memory.sequence = sequence.at(row).value_or(0);
    memory.memory_id = memory_id.at(row);
    memory.timestamp = timestamp.at(row).value_or(0);
    memory.expires_at = expires_at.at(row);
    memory.content = content.at(row);
    memory.category = category.at(row);
    memory.source = source.at(row);
    memory.quality_score = number_at(quality, row);
    memory.extra = extra.at(row).empty() ? "{}" : extra.at(row);
    memory.embedding = embedding.at(row);
    visit(memory);
  }
}

std::optional<SegmentCollection> collection_of(const parquet::FileMetaData& file) {
  const auto metadata = file.key_value_metadata();
  if (metadata == nullptr || !metadata->Contains(schema::kCollectionKey)) return std::nullopt;
  const auto value = [&](std::string_view key) { return metadata->Get(key).ValueOr(""); };
  SegmentCollection collection{value(schema::kCollectionKey), 0, value(schema::kMetricKey),
                               value(schema::kEmbeddingModelKey)};
  const std::string dimension = value(schema::kDimensionKey);
  std::from_chars(dimension.data(), dimension.data() + dimension.size(), collection.dimension);
  return collection;
}

void checked(const arrow::Status& status) {
  if (!status.ok()) throw parquet::ParquetStatusException(status);
}

std::unique_ptr<parquet::arrow::FileReader> open_reader(const std::string& path) {
  const auto opened = arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ);
  if (!opened.ok()) {
    throw IoError("cannot read '" + path + "': " + one_line(opened.status().message()));
  }
  std::unique_ptr<parquet::arrow::FileReader> reader;
  reading_parquet(path, [&] {
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    parquet::arrow::FileReaderBuilder builder;
    checked(builder.Open(*opened, properties));
    parquet::ArrowReaderProperties arrow_properties;
    constexpr int64_t kRowsPerBatch = 1024;
    arrow_properties.set_batch_size(kRowsPerBatch);
    arrow_properties.set_pre_buffer(false);  // a local file: no threads that read ahead
    checked(builder.properties(arrow_properties)->Build(&reader));
  });
  return reader;
}

void visit_batches(arrow::RecordBatchReader& batches, const std::string& path,
                   const std::function<void(const MemoryRow&)>& visit) {
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    reading_parquet(path, [&] { checked(batches.ReadNext(&batch)); });
    if (batch == nullptr) break;
    visit_batch(*batch, path, visit);
  }
}

}  // namespace

std::optional<SegmentCollection> read_memory_collection(const std::string& path) {
  return collection_of(*open_reader(path)->parquet_reader()->metadata());
}

std::optional<SegmentCollection> read_memory_file(
    const std::string& path, const std::function<void(const MemoryRow&)>& visit) {
  const auto reader = open_reader(path);
  std::shared_ptr<arrow::RecordBatchReader> batches;
  reading_parquet(path, [&] { PARQUET_ASSIGN_OR_THROW(batches, reader->GetRecordBatchReader()); });
  visit_batches(*batches, path, visit);
  return collection_of(*reader->parquet_reader()->metadata());
}

std::vector<std::string> salvage_memory_file(const std::string& path,
                                             const std::function<void(const MemoryRow&)>& visit) {
  const auto reader = open_reader(path);
  std::vector<std::string> findings;
  for (int group = 0; group < reader->num_row_groups(); ++group) {
    try {
      std::shared_ptr<arrow::RecordBatchReader> batches;
      reading_parquet(
          path, [&] { PARQUET_ASSIGN_OR_THROW(batches, reader->GetRecordBatchReader({group})); });
      visit_batches(*batches, path, visit);
    } catch (const FormatError& error) {
      findings.emplace_back(error.what());
    }
  }
  return findings;
}

}  // namespace aios
