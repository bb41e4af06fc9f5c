#include "storage/memory_segment.h"

#include <arrow/io/file.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <mutex>
#include <utility>

#include "aios/error.h"
#include "storage/arrow_errors.h"
#include "storage/checked_column.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_schema.h"

namespace aios {

namespace schema = memory_schema;

struct MemorySegment::Implementation {
  explicit Implementation(std::string of) : path(std::move(of)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError("'" + path + "' is no sound memory segment: " + what +
                      "; run aios memory repair on its folder");
  }
  void open_file();
  void read_collection();
  void read_groups();
  /// The bytes of a column that is one uncompressed page of plain values, where they are mapped.
  template <typename Value>
  std::span<const Value> mapped_values(parquet::RowGroupReader& group, schema::Column column,
                                       int64_t count);

  std::string path;
  std::shared_ptr<arrow::io::MemoryMappedFile> file;
  std::unique_ptr<parquet::ParquetFileReader> reader;
  SegmentCollection collection;
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
  std::vector<Group> groups;
  std::vector<std::shared_ptr<arrow::Buffer>> pages;  // that the groups' spans point into

  /// The texts of one row group, one after another.
  struct Contents {
    std::size_t group = 0;
    std::string bytes;
    std::vector<std::size_t> ends;
    [[nodiscard]] std::string at(std::size_t row) const {
      const std::size_t begin = row == 0 ? 0 : ends[row - 1];
      return bytes.substr(begin, ends[row] - begin);
    }
  };
  [[nodiscard]] std::shared_ptr<const Contents> read_contents(std::size_t group) const;
  mutable std::mutex contents_mutex;
  mutable std::shared_ptr<const Contents> last_contents;
};

void MemorySegment::Implementation::open_file() {
  const arrow::Result<std::shared_ptr<arrow::io::MemoryMappedFile>> opened =
      arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ);
  if (!opened.ok()) {
    throw IoError("cannot map '" + path + "': " + one_line(opened.status().message()));
  }
  file = *opened;
  PARQUET_ASSIGN_OR_THROW(num_bytes, file->GetSize());
  reader = parquet::ParquetFileReader::Open(file);
  if (!reader->metadata()->schema()->group_node()->Equals(schema::file_schema().get())) {
    fail("its columns are others");
  }
}

void MemorySegment::Implementation::read_collection() {
  const auto metadata = reader->metadata()->key_value_metadata();
  const auto value = [&](std::string_view key) {
    if (metadata == nullptr || !metadata->Contains(key)) {
      fail("its footer lacks " + std::string(key));
    }
    return metadata->Get(key).ValueOrDie();
  };
  if (value(schema::kVersionKey) != schema::kVersion) {
    fail("its version " + value(schema::kVersionKey) + " is unknown to this build");
  }
  collection.name = value(schema::kCollectionKey);
  collection.metric = value(schema::kMetricKey);
  collection.embedding_model = value(schema::kEmbeddingModelKey);
  const std::string dimension = value(schema::kDimensionKey);
  const char* const end = dimension.data() + dimension.size();
  const auto [rest, error] = std::from_chars(dimension.data(), end, collection.dimension);
  if (error != std::errc() || rest != end || collection.dimension < 1 ||
      collection.dimension > schema::kMaxDimension) {
    fail("its dimension is '" + dimension + "'");
  }
}

template <typename Value>
std::span<const Value> MemorySegment::Implementation::mapped_values(parquet::RowGroupReader& group,
                                                                    schema::Column column,
                                                                    int64_t count) {
  const auto chunk = group.metadata()->ColumnChunk(column);
  const auto page =
      std::dynamic_pointer_cast<parquet::DataPageV1>(group.GetColumnPageReader(column)->NextPage());
  if (page == nullptr || page->encoding() != parquet::Encoding::PLAIN ||
      chunk->compression() != parquet::Compression::UNCOMPRESSED) {
    fail("a column is not one plain page");
  }
  // Levels of repetition and of definition come first, each run with its length in four bytes.
  int64_t levels = 0;
  const int num_levels = column == schema::kEmbedding ? 2 : 0;
  for (int i = 0; i < num_levels; ++i) {
    uint32_t length = 0;
    if (page->size() - levels < int64_t{sizeof(length)}) fail("a page ends early");
    std::memcpy(&length, page->data() + levels, sizeof(length));
    levels += int64_t{sizeof(length)} + length;
    if (levels > page->size()) fail("a page ends early");
  }
  const auto num_value_bytes = count * static_cast<int64_t>(sizeof(Value));
  if (page->num_values() != count || page->size() - levels != num_value_bytes) {
    fail("column " + std::to_string(column) + " has a page of " +
         std::to_string(page->num_values()) + " values, not of " + std::to_string(count));
  }
  const uint8_t* const values = page->data() + levels;
  if (reinterpret_cast<uintptr_t>(values) % alignof(Value) != 0) fail("a page is not aligned");
  pages.push_back(page->buffer());
  return {reinterpret_cast<const Value*>(values), static_cast<std::size_t>(count)};
}

void MemorySegment::Implementation::read_groups() {
  int64_t last_sequence = std::numeric_limits<int64_t>::min();
  for (int i = 0; i < reader->metadata()->num_row_groups(); ++i) {
    const auto row_group = reader->RowGroup(i);
    const int64_t rows = row_group->metadata()->num_rows();
    if (rows < 1 || rows > schema::kRowsPerGroup) {
      fail("a row group has " + std::to_string(rows) + " rows");
    }
    Group group;
    group.first_row = num_rows;
    group.sequences = mapped_values<int64_t>(*row_group, schema::kSequence, rows);
    group.norms = mapped_values<float>(*row_group, schema::kNorm, rows);
    group.embeddings =
        mapped_values<float>(*row_group, schema::kEmbedding, rows * collection.dimension);
    for (const int64_t sequence : group.sequences) {
      if (sequence <= last_sequence) fail("its sequences do not ascend");
      last_sequence = sequence;
    }
    num_rows += rows;
    groups.push_back(group);
  }
}

MemorySegment::MemorySegment(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

MemorySegment::~MemorySegment() = default;

std::shared_ptr<const MemorySegment> MemorySegment::open(const std::string& path) {
  auto implementation = std::make_unique<Implementation>(path);
  reading_parquet(path, [&] {
    implementation->open_file();
    implementation->read_collection();
    implementation->read_groups();
  });
  return std::shared_ptr<const MemorySegment>(new MemorySegment(std::move(implementation)));
}

const std::string& MemorySegment::path() const noexcept { return implementation_->path; }

const SegmentCollection& MemorySegment::collection() const noexcept {
  return implementation_->collection;
}

int64_t MemorySegment::num_rows() const noexcept { return implementation_->num_rows; }

int64_t MemorySegment::num_bytes() const noexcept { return implementation_->num_bytes; }

std::span<const MemorySegment::Group> MemorySegment::groups() const noexcept {
  return implementation_->groups;
}

const MemorySegment::Group& MemorySegment::group_of(int64_t row) const noexcept {
  const auto after =
      std::upper_bound(implementation_->groups.begin(), implementation_->groups.end(), row,
                       [](int64_t value, const Group& group) { return value < group.first_row; });
  return *std::prev(after);
}

int64_t MemorySegment::find(int64_t sequence) const noexcept {
  for (const Group& group : implementation_->groups) {
    if (sequence > group.sequences.back()) continue;
    const auto found = std::lower_bound(group.sequences.begin(), group.sequences.end(), sequence);
    return *found == sequence ? group.first_row + (found - group.sequences.begin()) : -1;
  }
  return -1;
}

std::span<const float> MemorySegment::embedding(int64_t row) const noexcept {
  const Group& group = group_of(row);
  const auto dimension = static_cast<std::size_t>(implementation_->collection.dimension);
  return group.embeddings.subspan(static_cast<std::size_t>(row - group.first_row) * dimension,
                                  dimension);
}

std::shared_ptr<const MemorySegment::Implementation::Contents>
MemorySegment::Implementation::read_contents(std::size_t group) const {
  const auto row_group = reader->RowGroup(static_cast<int>(group));
  const auto column = std::static_pointer_cast<parquet::ByteArrayReader>(
      open_column(*row_group, schema::kContent, path));
  auto contents = std::make_shared<Contents>();
  contents->group = group;
  const std::size_t num_texts = groups[group].sequences.size();
  std::vector<parquet::ByteArray> values(num_texts);
  while (contents->ends.size() < num_texts) {
    int64_t num_values = 0;
    const auto wanted = static_cast<int64_t>(num_texts - contents->ends.size());
    (void)column->ReadBatch(wanted, nullptr, nullptr, values.data(), &num_values);
    if (num_values < 1) fail("its contents end early");
    for (const auto& value : std::span(values).first(static_cast<std::size_t>(num_values))) {
      contents->bytes += std::string_view(value);
      contents->ends.push_back(contents->bytes.size());
    }
  }
  return contents;
}

/// A page is decompressed as a whole: who reads one text often reads its neighbours next.
std::string MemorySegment::content(int64_t row) const {
  constexpr std::size_t kMaxKeptBytes = std::size_t{4} << 20U;
  const Implementation& self = *implementation_;
  const Group& group = group_of(row);
  const auto index = static_cast<std::size_t>(&group - self.groups.data());
  const auto row_of_group = static_cast<std::size_t>(row - group.first_row);
  std::shared_ptr<const Implementation::Contents> contents;
  {
    const std::lock_guard lock(self.contents_mutex);
    contents = self.last_contents;
  }
  if (contents == nullptr || contents->group != index) {
    contents = reading_parquet(self.path, [&] { return self.read_contents(index); });
    const std::lock_guard lock(self.contents_mutex);
    self.last_contents = contents->bytes.size() > kMaxKeptBytes ? nullptr : contents;
  }
  return contents->at(row_of_group);
}

void MemorySegment::verify() const {
  const Implementation& self = *implementation_;
  std::size_t group = 0;
  std::size_t row = 0;
  read_memory_file(self.path, [&](const MemoryRow& memory) {
    if (row == self.groups[group].sequences.size()) {
      ++group;
      row = 0;
    }
    if (embedding_norm(memory.embedding) != self.groups[group].norms[row]) {
      self.fail("a norm is not its embedding's");
    }
    ++row;
  });
}

}  // namespace aios
