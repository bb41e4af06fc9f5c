#include "storage/parquet_reader.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "aios/error.h"
#include "base/aligned_buffer.h"
#include "base/mapped_file.h"
#include "storage/arrow_errors.h"
#include "storage/joined_mapping.h"
#include "storage/parquet_directory.h"
#include "storage/parquet_rows.h"
#include "storage/quantized_tensor.h"
#include "storage/tensor_table.h"

namespace aios {
namespace {

namespace schema = quantization_schema;
using schema::Row;

/// The bytes of one row group: where they lie in the mapping, or decoded copies.
struct RowGroupData {
  using Values = std::vector<std::span<const std::byte>>;  // one for each row

  std::shared_ptr<const MappedFile> file;
  std::vector<AlignedBuffer<std::byte>> copies;
  Values data;
  Values zero_points;  // empty if no row is quantised
  Values scales;
};

/// Where the parts of a tensor are: one row, or one for each shard.
struct RowPlace {
  int row_group = 0;
  std::size_t row = 0;
};

bool lies_within(std::span<const std::byte> part, std::span<const std::byte> whole) {
  const std::less_equal<const std::byte*> before;
  return before(whole.data(), part.data()) &&
         before(part.data() + part.size(), whole.data() + whole.size());
}

std::shared_ptr<arrow::io::BufferReader> open_source(const MappedFile& file) {
  const auto bytes = file.bytes();
  return std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(
      reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int64_t>(bytes.size())));
}

/// One contiguous view of all shards: mapped so if they lie on pages, else copied.
TensorView join_shards(const TensorInfo& info, std::span<const std::span<const std::byte>> shards) {
  if (auto joined = join_mapped(shards)) {
    const std::byte* const start = joined.get();
    return {info.dtype, info.shape, start, info.num_bytes, std::move(joined)};
  }
  auto copy = std::make_shared<AlignedBuffer<std::byte>>(info.num_bytes);
  std::byte* target = copy->data();
  for (const auto& shard : shards) {
    std::memcpy(target, shard.data(), shard.size());
    target += shard.size();
  }
  return {info.dtype, info.shape, copy->data(), info.num_bytes, copy};
}

}  // namespace

struct ParquetReader::Implementation {
  explicit Implementation(const std::string& path);

  void check_version() const;
  std::optional<std::vector<DirectoryEntry>> directory() const;
  void add_row(const Row& row, RowPlace place);
  std::vector<Row> read_row_group(int index) const;
  std::shared_ptr<const RowGroupData> row_group_data(int index) const;
  TensorView tensor(std::size_t index) const;
  void verify_pages() const;

  std::shared_ptr<const MappedFile> file;
  std::unique_ptr<parquet::ParquetFileReader> reader;
  ModelColumns columns;
  TensorTable table;
  std::vector<std::vector<RowPlace>> places;  // for each tensor of the table
  std::vector<std::vector<Row>> rows;         // for each row group, as read or from the directory
  bool rows_from_directory = false;

  mutable std::mutex mutex;                                     // guards `reader` and `data`
  mutable std::vector<std::weak_ptr<const RowGroupData>> data;  // for each row group, while in use
};

ParquetReader::Implementation::Implementation(const std::string& path)
    : file(MappedFile::open(path)), table(path) {
  reader = parquet::ParquetFileReader::Open(open_source(*file));
  const auto metadata = reader->metadata();
  columns = find_columns(*metadata->schema(), path);
  check_version();
  int64_t num_rows = 0;
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    const int64_t count = metadata->RowGroup(i)->num_rows();
    if (count < 0 || count > schema::kMaxRows - num_rows) {
      throw FormatError("'" + path + "' claims more than " + std::to_string(schema::kMaxRows) +
                        " rows");
    }
    num_rows += count;
  }

  if (auto entries = directory()) {
    rows_from_directory = true;
    for (DirectoryEntry& entry : *entries) {
      check_row(entry.row, path);
      rows.push_back({std::move(entry.row)});
    }
  } else {
    for (int i = 0; i < metadata->num_row_groups(); ++i) rows.push_back(read_row_group(i));
  }
  data.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < rows[i].size(); ++k) add_row(rows[i][k], {static_cast<int>(i), k});
  }
}

/// Files that other tools rewrote may have lost their version; one that is there is version 2.
void ParquetReader::Implementation::check_version() const {
  const auto& key_values = reader->metadata()->key_value_metadata();
  const int key = key_values ? key_values->FindKey(std::string(schema::kVersionKey)) : -1;
  if (key < 0 || key_values->value(key) == schema::kVersion) return;
  throw FormatError("'" + table.path() + "' is of format version '" + key_values->value(key) +
                    "', which this build does not know; update it, or convert the model again");
}

/// The directory of the footer, if there is one that describes this file: a tool that rewrote the
/// file may have kept it, but not the offsets.
std::optional<std::vector<DirectoryEntry>> ParquetReader::Implementation::directory() const {
  const auto metadata = reader->metadata();
  const auto& key_values = metadata->key_value_metadata();
  if (!columns.is_v2() || !key_values) return std::nullopt;
  const int key = key_values->FindKey(std::string(schema::kDirectoryKey));
  if (key < 0) return std::nullopt;
  auto entries = directory_from_json(key_values->value(key));
  if (!entries || !std::cmp_equal(entries->size(), metadata->num_row_groups())) return std::nullopt;
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    const auto row_group = metadata->RowGroup(i);
    const int64_t offset = (*entries)[static_cast<std::size_t>(i)].data_page_offset;
    if (row_group->num_rows() != 1 ||
        row_group->ColumnChunk(columns.data)->data_page_offset() != offset) {
      return std::nullopt;
    }
  }
  return entries;
}

/// Shards of a tensor follow each other in ascending order and say the same of the whole.
void ParquetReader::Implementation::add_row(const Row& row, RowPlace place) {
  if (row.shard_index == 0) {
    const DType dtype = *dtype_from_name(row.dtype);
    const std::string what = "'" + table.path() + "'";
    const QuantizedFormat format = format_of(row, what);
    const std::size_t num_bytes = format.type == QuantType::kNone
                                      ? checked_num_bytes(row.shape, dtype, what)
                                      : quantized_sizes(format, row.shape).total();
    table.add({row.layer_name, dtype, row.shape, num_bytes, format});
    places.push_back({place});
    return;
  }
  if (!places.empty()) {
    const RowPlace first = places.back().front();
    Row expected = rows[static_cast<std::size_t>(first.row_group)][first.row];
    expected.shard_index = static_cast<int32_t>(places.back().size());
    if (row == expected) return places.back().push_back(place);
  }
  throw FormatError("'" + table.path() + "': shard " + std::to_string(row.shard_index) +
                    " of tensor '" + row.layer_name + "' does not follow its shard before");
}

std::vector<Row> ParquetReader::Implementation::read_row_group(int index) const {
  return read_rows(*reader->RowGroup(index), columns, table.path());
}

std::shared_ptr<const RowGroupData> ParquetReader::Implementation::row_group_data(int index) const {
  const auto group = static_cast<std::size_t>(index);
  const std::lock_guard lock(mutex);
  if (auto known = data[group].lock()) return known;
  if (rows_from_directory && read_row_group(index) != rows[group]) {
    throw FormatError("'" + table.path() + "': the directory in the footer contradicts row group " +
                      std::to_string(index) + "; convert the model again");
  }
  auto loaded = std::make_shared<RowGroupData>();
  loaded->file = file;
  const auto row_group = reader->RowGroup(index);
  const auto keep = [&](int column, RowGroupData::Values& values) {
    for_each_binary(*row_group, column, table.path(),
                    [&](std::size_t /*row*/, std::span<const std::byte> value) {
                      if (value.empty()) {
                        value = file->bytes().first(0);
                      } else if (!lies_within(value, file->bytes())) {
                        AlignedBuffer<std::byte>& copy = loaded->copies.emplace_back(value.size());
                        std::memcpy(copy.data(), value.data(), value.size());
                        value = copy.span();
                      }
                      values.push_back(value);
                    });
  };
  keep(columns.data, loaded->data);
  if (std::ranges::any_of(rows[group], [](const Row& row) { return row.quant_type != "none"; })) {
    keep(columns.zero_points, loaded->zero_points);
    keep(columns.scales, loaded->scales);
  }
  data[group] = loaded;
  return loaded;
}

TensorView ParquetReader::Implementation::tensor(std::size_t index) const {
  const TensorInfo& info = table.tensors()[index];
  const std::string what = "'" + table.path() + "': tensor '" + info.name + "'";
  const bool quantized = info.format.type != QuantType::kNone;
  const std::size_t data_bytes =
      quantized ? quantized_sizes(info.format, info.shape).data : info.num_bytes;
  std::vector<std::shared_ptr<const RowGroupData>> owners;
  std::vector<std::span<const std::byte>> shards;
  std::size_t num_bytes = 0;
  for (const RowPlace& place : places[index]) {
    owners.push_back(row_group_data(place.row_group));
    shards.push_back(owners.back()->data[place.row]);
    num_bytes += shards.back().size();
  }
  if (num_bytes != data_bytes) {
    throw FormatError(what + " has " + std::to_string(num_bytes) +
                      " bytes where its shape and dtype need " + std::to_string(data_bytes));
  }
  const TensorInfo stored{info.name, info.dtype, info.shape, data_bytes};
  const TensorView joined = shards.size() == 1 ? make_view(stored, shards.front(), owners.front())
                                               : join_shards(stored, shards);
  if (!quantized) return joined;
  // Scales and zero points stand in the row of the first shard.
  const std::size_t row = places[index].front().row;
  return make_quantized_view(info.format, joined, owners.front()->zero_points[row],
                             owners.front()->scales[row], owners.front(), what);
}

/// Reads every page of every column with the check of its checksum on.
void ParquetReader::Implementation::verify_pages() const {
  auto properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  const auto checked = parquet::ParquetFileReader::Open(open_source(*file), properties);
  const auto metadata = checked->metadata();
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    const auto row_group = checked->RowGroup(i);
    for (int column = 0; column < metadata->num_columns(); ++column) {
      const auto pages = row_group->GetColumnPageReader(column);
      while (pages->NextPage()) {
      }
    }
  }
}

ParquetReader::ParquetReader(const std::string& path)
    : implementation_(
          reading_parquet(path, [&] { return std::make_unique<Implementation>(path); })) {}

ParquetReader::~ParquetReader() = default;

std::string_view ParquetReader::format() const noexcept {
  return implementation_->columns.is_v2() ? "parquet_v2" : "parquet_v1";
}

const std::vector<TensorInfo>& ParquetReader::tensors() const noexcept {
  return implementation_->table.tensors();
}

bool ParquetReader::contains(std::string_view name) const noexcept {
  return implementation_->table.contains(name);
}

TensorView ParquetReader::tensor(std::string_view name) const {
  const TensorTable& table = implementation_->table;
  return reading_parquet(table.path(),
                         [&] { return implementation_->tensor(table.index_of(name)); });
}

void ParquetReader::verify() const {
  const TensorTable& table = implementation_->table;
  reading_parquet(table.path(), [&] {
    implementation_->verify_pages();
    for (std::size_t i = 0; i < table.tensors().size(); ++i) (void)implementation_->tensor(i);
  });
}

}  // namespace aios
