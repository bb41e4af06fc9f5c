#include "storage/parquet_writer.h"

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/api/writer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "storage/arrow_errors.h"
#include "storage/atomic_file_stream.h"
#include "storage/parquet_directory.h"
#include "storage/quantized_tensor.h"
#include "storage/tensor_table.h"

namespace aios {
namespace {

namespace schema = quantization_schema;
using parquet::Repetition;
using parquet::schema::GroupNode;
using parquet::schema::NodePtr;
using parquet::schema::PrimitiveNode;

NodePtr required(std::string_view name, parquet::Type::type type,
                 const std::shared_ptr<const parquet::LogicalType>& logical_type =
                     parquet::LogicalType::None()) {
  return PrimitiveNode::Make(std::string(name), Repetition::REQUIRED, logical_type, type);
}

NodePtr required_string(std::string_view name) {
  return required(name, parquet::Type::BYTE_ARRAY, parquet::LogicalType::String());
}

NodePtr required_int32_list(std::string_view name) {
  const auto list =
      GroupNode::Make("list", Repetition::REPEATED, {required("element", parquet::Type::INT32)});
  return GroupNode::Make(std::string(name), Repetition::REQUIRED, {list},
                         parquet::LogicalType::List());
}

std::shared_ptr<GroupNode> group(const parquet::schema::NodeVector& fields) {
  return std::static_pointer_cast<GroupNode>(
      GroupNode::Make("schema", Repetition::REQUIRED, fields));
}

/// The order in which `Implementation::write_row` writes. `data` comes last, so that the small
/// columns of a row share one page of memory with the start of its data.
std::shared_ptr<GroupNode> v2_schema() {
  return group(
      {required_string(schema::kLayerName), required_int32_list(schema::kShape),
       required_string(schema::kDtype), required(schema::kNumParams, parquet::Type::INT64),
       required_string(schema::kQuantType), required(schema::kQuantAxis, parquet::Type::INT32),
       required(schema::kGroupSize, parquet::Type::INT32), required_string(schema::kLayout),
       required(schema::kShardIndex, parquet::Type::INT32),
       required(schema::kScales, parquet::Type::BYTE_ARRAY),
       required(schema::kZeroPoints, parquet::Type::BYTE_ARRAY),
       required(schema::kData, parquet::Type::BYTE_ARRAY)});
}

/// Statistics are kept for names only: a query for one tensor then skips all other row groups.
std::shared_ptr<parquet::WriterProperties> writer_properties() {
  return parquet::WriterProperties::Builder()
      .disable_dictionary()
      ->encoding(parquet::Encoding::PLAIN)
      ->compression(parquet::Compression::UNCOMPRESSED)
      ->disable_statistics()
      ->enable_statistics(std::string(schema::kLayerName))
      ->set_size_statistics_level(parquet::SizeStatisticsLevel::None)
      ->disable_write_page_index()
      ->enable_page_checksum()
      ->build();
}

parquet::ByteArray byte_array(std::span<const std::byte> bytes) {
  return {static_cast<uint32_t>(bytes.size()), reinterpret_cast<const uint8_t*>(bytes.data())};
}

template <typename ColumnWriter, typename Value>
void write_value(parquet::RowGroupWriter& row_group, const Value& value) {
  auto* const column = static_cast<ColumnWriter*>(row_group.NextColumn());
  column->WriteBatch(1, nullptr, nullptr, &value);
  column->Close();
}

void write_string(parquet::RowGroupWriter& row_group, const std::string& value) {
  write_value<parquet::ByteArrayWriter>(row_group, byte_array(std::as_bytes(std::span(value))));
}

void write_int32(parquet::RowGroupWriter& row_group, int32_t value) {
  write_value<parquet::Int32Writer>(row_group, value);
}

/// One list, whose first element has repetition level 0; an empty one is a single level without
/// value.
void write_list(parquet::RowGroupWriter& row_group, const std::vector<int64_t>& shape) {
  const std::vector<int32_t> values(shape.begin(), shape.end());
  const std::size_t num_levels = std::max<std::size_t>(shape.size(), 1);
  const std::vector<int16_t> definition_levels(num_levels, shape.empty() ? 0 : 1);
  std::vector<int16_t> repetition_levels(num_levels, 1);
  repetition_levels.front() = 0;
  auto* const column = static_cast<parquet::Int32Writer*>(row_group.NextColumn());
  column->WriteBatch(static_cast<int64_t>(num_levels), definition_levels.data(),
                     repetition_levels.data(), values.data());
  column->Close();
}

/// Bytes from the start of a column chunk to the first byte of its only value. The page header has
/// no fixed length (its checksum is a variable-length integer), so a dry run over the very same
/// bytes counts it.
int64_t bytes_before_value(std::span<const std::byte> value,
                           const std::shared_ptr<parquet::WriterProperties>& properties) {
  auto sink = std::make_shared<arrow::io::MockOutputStream>();
  auto writer = parquet::ParquetFileWriter::Open(
      sink, group({required(schema::kData, parquet::Type::BYTE_ARRAY)}), properties);
  const int64_t start = sink->GetExtentBytesWritten();
  write_value<parquet::ByteArrayWriter>(*writer->AppendRowGroup(), byte_array(value));
  return sink->GetExtentBytesWritten() - start - static_cast<int64_t>(value.size());
}

/// The row of a tensor, checked. @throws FormatError
schema::Row describe(const std::string& name, const TensorView& tensor, const std::string& path) {
  check_name(name, path);
  const std::string what = "'" + path + "': tensor '" + name + "'";
  if (name.size() > schema::kMaxNameBytes || tensor.shape.size() > schema::kMaxRank) {
    throw FormatError(what + " has a name of more than " + std::to_string(schema::kMaxNameBytes) +
                      " bytes or a shape of more than " + std::to_string(schema::kMaxRank) +
                      " extents");
  }
  for (const int64_t extent : tensor.shape) {
    if (extent > std::numeric_limits<int32_t>::max()) {
      throw FormatError(what + " has the extent " + std::to_string(extent) +
                        "; Parquet V2 holds up to 2^31 - 1");
    }
  }
  const std::size_t element_bytes = checked_num_bytes(tensor.shape, tensor.dtype, what);
  schema::Row row;
  row.layer_name = name;
  row.shape = tensor.shape;
  row.dtype = dtype_name(tensor.dtype);
  row.num_params = static_cast<int64_t>(element_bytes / dtype_size(tensor.dtype));
  if (tensor.is_quantized()) {
    row.quant_type = quant_type_name(tensor.format.type);
    row.quant_axis = 1;
    row.group_size = tensor.format.group_size;
    row.layout = schema::kPanel32;
    check_part_sizes(format_of(row, what), row.shape, tensor.num_bytes, tensor.blocks,
                     tensor.scales, what);
  } else if (element_bytes != tensor.num_bytes) {
    throw FormatError(what + " has " + std::to_string(tensor.num_bytes) +
                      " bytes where its shape and dtype need " + std::to_string(element_bytes));
  }
  return row;
}

}  // namespace

struct ParquetModelWriter::Implementation {
  Implementation(const std::string& path, std::size_t max_bytes)
      : max_value_bytes(max_bytes),
        file(path),
        sink(std::make_shared<AtomicFileStream>(file)),
        properties(writer_properties()) {
    if (max_bytes == 0 || max_bytes % schema::kShardAlignment != 0 ||
        max_bytes > schema::kMaxValueBytes) {
      throw ConfigError("max_value_bytes must be a multiple of 65536 up to 2^30, not " +
                        std::to_string(max_bytes));
    }
    writing_parquet(
        path, [&] { writer = parquet::ParquetFileWriter::Open(sink, v2_schema(), properties); });
  }

  void write_row(const schema::Row& row, const TensorView& tensor, std::span<const std::byte> data,
                 std::size_t alignment);
  int64_t write_aligned(parquet::RowGroupWriter& row_group, std::span<const std::byte> value,
                        std::size_t alignment);

  std::size_t max_value_bytes;
  AtomicFile file;
  std::shared_ptr<AtomicFileStream> sink;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::unique_ptr<parquet::ParquetFileWriter> writer;
  std::vector<DirectoryEntry> directory;
  std::set<std::string> names;
};

/// Writes zeros before the column chunk, so that the value starts on a multiple of `alignment`.
/// @return the offset of the chunk
int64_t ParquetModelWriter::Implementation::write_aligned(parquet::RowGroupWriter& row_group,
                                                          std::span<const std::byte> value,
                                                          std::size_t alignment) {
  static constexpr std::array<std::byte, schema::kShardAlignment> kZeros{};
  const auto start =
      static_cast<std::size_t>(file.position() + bytes_before_value(value, properties));
  file.write(std::span(kZeros).first((alignment - start % alignment) % alignment));
  const int64_t chunk_offset = file.position();
  write_value<parquet::ByteArrayWriter>(row_group, byte_array(value));
  if ((static_cast<std::size_t>(file.position()) - value.size()) % alignment != 0) {
    throw IoError("cannot write '" + file.path() + "': a value missed its alignment");
  }
  return chunk_offset;
}

/// Scales and zero points of a quantised tensor stand in the row of its first shard.
void ParquetModelWriter::Implementation::write_row(const schema::Row& row, const TensorView& tensor,
                                                   std::span<const std::byte> data,
                                                   std::size_t alignment) {
  parquet::RowGroupWriter& row_group = *writer->AppendRowGroup();
  write_string(row_group, row.layer_name);
  write_list(row_group, row.shape);
  write_string(row_group, row.dtype);
  write_value<parquet::Int64Writer>(row_group, row.num_params);
  write_string(row_group, row.quant_type);
  write_int32(row_group, row.quant_axis);
  write_int32(row_group, row.group_size);
  write_string(row_group, row.layout);
  write_int32(row_group, row.shard_index);
  for (const auto part : {tensor.scales, tensor.blocks}) {
    if (part.empty() || row.shard_index > 0) {
      write_string(row_group, {});
    } else {
      write_aligned(row_group, part, schema::kValueAlignment);
    }
  }
  directory.push_back({row, write_aligned(row_group, data, alignment)});
  row_group.Close();
}

ParquetModelWriter::ParquetModelWriter(const std::string& path, std::size_t max_value_bytes)
    : implementation_(std::make_unique<Implementation>(path, max_value_bytes)) {}

ParquetModelWriter::~ParquetModelWriter() = default;

void ParquetModelWriter::add(const std::string& name, const TensorView& tensor) {
  Implementation& self = *implementation_;
  schema::Row row = describe(name, tensor, self.file.path());
  if (!self.names.insert(name).second) {
    throw FormatError("'" + self.file.path() + "': tensor '" + name + "' is there twice");
  }
  const bool sharded = tensor.num_bytes > self.max_value_bytes;
  const std::size_t alignment = sharded ? schema::kShardAlignment : schema::kValueAlignment;
  std::span<const std::byte> rest(tensor.data, tensor.num_bytes);
  writing_parquet(self.file.path(), [&] {
    do {
      const auto value = rest.first(std::min(rest.size(), self.max_value_bytes));
      self.write_row(row, tensor, value, alignment);
      rest = rest.subspan(value.size());
      ++row.shard_index;
    } while (!rest.empty());
  });
}

void ParquetModelWriter::finish() {
  Implementation& self = *implementation_;
  writing_parquet(self.file.path(), [&] {
    self.writer->AddKeyValueMetadata(arrow::key_value_metadata(
        {std::string(schema::kVersionKey), std::string(schema::kDirectoryKey)},
        {std::string(schema::kVersion), directory_to_json(self.directory)}));
    self.writer->Close();
  });
  self.file.commit();
}

}  // namespace aios
