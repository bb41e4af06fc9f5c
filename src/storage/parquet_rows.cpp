#include "storage/parquet_rows.h"

#include <parquet/column_reader.h>
#include <parquet/schema.h>

#include <array>
#include <memory>
#include <utility>

#include "aios/error.h"
#include "storage/checked_column.h"
#include "storage/quantized_tensor.h"
#include "storage/tensor_table.h"

namespace aios {
namespace {

namespace schema = quantization_schema;
using schema::Row;

/// The leaf column whose top-level field is `name`, -1 if there is none.
int find_column(const parquet::SchemaDescriptor& descriptor, std::string_view name,
                parquet::Type::type type, bool repeated, const std::string& path) {
  int found = -1;
  for (int i = 0; i < descriptor.num_columns(); ++i) {
    const parquet::ColumnDescriptor* const column = descriptor.Column(i);
    if (column->path()->ToDotVector().front() != name) continue;
    const int16_t max_repetition = repeated ? 1 : 0;
    if (found >= 0 || column->physical_type() != type ||
        column->max_repetition_level() != max_repetition) {
      throw FormatError("'" + path + "': column '" + std::string(name) +
                        "' is not one column of type " + parquet::TypeToString(type) +
                        (repeated ? " list" : ""));
    }
    found = i;
  }
  return found;
}

/// Calls `visit(row, value)` for each value of a column without repetition.
template <typename Reader, typename Visit>
void for_each_value(parquet::RowGroupReader& row_group, int column, const std::string& path,
                    Visit visit) {
  const auto reader = std::static_pointer_cast<Reader>(open_column(row_group, column, path));
  const auto fail = [&](const char* what) {
    throw FormatError("'" + path + "': column '" + reader->descr()->path()->ToDotString() + "' " +
                      what);
  };
  const auto num_rows = static_cast<std::size_t>(row_group.metadata()->num_rows());
  for (std::size_t row = 0; row < num_rows; ++row) {
    int16_t definition_level = 0;
    int64_t values_read = 0;
    typename Reader::T value{};
    const int64_t levels_read =
        reader->ReadBatch(1, &definition_level, nullptr, &value, &values_read);
    if (levels_read != 1) fail("has fewer values than the row group has rows");
    if (values_read != 1) fail("has a null");
    visit(row, value);
  }
  if (reader->HasNext()) fail("has more values than the row group has rows");
}

std::span<const std::byte> bytes_of(const parquet::ByteArray& value) {
  return std::as_bytes(std::span(value.ptr, value.len));
}

void read_strings(parquet::RowGroupReader& row_group, int column, const std::string& path,
                  std::vector<Row>& rows, std::string Row::*field) {
  for_each_value<parquet::ByteArrayReader>(
      row_group, column, path, [&](std::size_t row, const parquet::ByteArray& value) {
        if (value.len > schema::kMaxNameBytes) {
          throw FormatError("'" + path + "': a name of " + std::to_string(value.len) +
                            " bytes; the limit is " + std::to_string(schema::kMaxNameBytes));
        }
        rows[row].*field = std::string_view(value);
      });
}

void read_int32s(parquet::RowGroupReader& row_group, int column, const std::string& path,
                 std::vector<Row>& rows, int32_t Row::*field) {
  for_each_value<parquet::Int32Reader>(
      row_group, column, path, [&](std::size_t row, int32_t value) { rows[row].*field = value; });
}

/// Reads lists of integers. A level of repetition 0 starts the next row's list; below the greatest
/// definition level there is no element: the list is empty or null, which both read as a scalar's
/// shape, or has a null element, which is refused.
void read_shapes(parquet::RowGroupReader& row_group, int column, const std::string& path,
                 std::vector<Row>& rows) {
  const auto reader =
      std::static_pointer_cast<parquet::Int32Reader>(open_column(row_group, column, path));
  const int16_t max_level = reader->descr()->max_definition_level();
  const bool nullable_element = reader->descr()->schema_node()->is_optional();
  const auto fail = [&](const char* what) {
    throw FormatError("'" + path + "': column 'shape' " + what);
  };
  std::size_t num_rows = 0;
  while (reader->HasNext()) {
    int16_t definition_level = 0;
    int16_t repetition_level = 0;
    int32_t extent = 0;
    int64_t values_read = 0;
    const int64_t levels_read =
        reader->ReadBatch(1, &definition_level, &repetition_level, &extent, &values_read);
    if (levels_read != 1) fail("ends early");
    if (repetition_level == 0) ++num_rows;
    if (num_rows == 0 || num_rows > rows.size()) fail("has not one list for each row");
    std::vector<int64_t>& shape = rows[num_rows - 1].shape;
    if (definition_level < max_level) {
      const bool null_element = nullable_element && definition_level == max_level - 1;
      if (null_element || repetition_level != 0) fail("has a null extent");
      continue;
    }
    if (shape.size() == schema::kMaxRank) fail("has a list of more than 16 extents");
    shape.push_back(extent);
  }
  if (num_rows != rows.size()) fail("has not one list for each row");
}

void check_empty(parquet::RowGroupReader& row_group, int column, const std::string& path,
                 const std::vector<Row>& rows, std::string_view name) {
  for_each_value<parquet::ByteArrayReader>(
      row_group, column, path, [&](std::size_t row, const parquet::ByteArray& value) {
        if (value.len == 0 || rows[row].quant_type != "none") return;
        throw FormatError("'" + path + "': tensor '" + rows[row].layer_name +
                          "' is not quantised, "
                          "yet has " +
                          std::string(name));
      });
}

}  // namespace

ModelColumns find_columns(const parquet::SchemaDescriptor& descriptor, const std::string& path) {
  struct Wanted {
    std::string_view name;
    parquet::Type::type type;
    int ModelColumns::*column;
    bool v2;
  };
  using parquet::Type;
  static constexpr std::array<Wanted, 12> kWanted{
      {{schema::kLayerName, Type::BYTE_ARRAY, &ModelColumns::layer_name, false},
       {schema::kShape, Type::INT32, &ModelColumns::shape, false},
       {schema::kDtype, Type::BYTE_ARRAY, &ModelColumns::dtype, false},
       {schema::kNumParams, Type::INT64, &ModelColumns::num_params, false},
       {schema::kData, Type::BYTE_ARRAY, &ModelColumns::data, false},
       {schema::kQuantType, Type::BYTE_ARRAY, &ModelColumns::quant_type, true},
       {schema::kQuantAxis, Type::INT32, &ModelColumns::quant_axis, true},
       {schema::kGroupSize, Type::INT32, &ModelColumns::group_size, true},
       {schema::kLayout, Type::BYTE_ARRAY, &ModelColumns::layout, true},
       {schema::kShardIndex, Type::INT32, &ModelColumns::shard_index, true},
       {schema::kScales, Type::BYTE_ARRAY, &ModelColumns::scales, true},
       {schema::kZeroPoints, Type::BYTE_ARRAY, &ModelColumns::zero_points, true}}};
  ModelColumns columns;
  for (const Wanted& wanted : kWanted) {
    columns.*wanted.column =
        find_column(descriptor, wanted.name, wanted.type, wanted.name == schema::kShape, path);
  }
  for (const Wanted& wanted : kWanted) {
    if (columns.*wanted.column < 0 && (columns.is_v2() || !wanted.v2)) {
      throw FormatError("'" + path + "' is no model file: it has no column '" +
                        std::string(wanted.name) + "'");
    }
  }
  return columns;
}

void check_row(const Row& row, const std::string& path) {
  check_name(row.layer_name, path);
  const std::string what = "'" + path + "': tensor '" + row.layer_name + "'";
  (void)format_of(row, what);
  const auto dtype = dtype_from_name(row.dtype);
  if (!dtype) throw FormatError(what + " has the unknown dtype '" + row.dtype + "'");
  const std::size_t num_elements = checked_num_bytes(row.shape, *dtype, what) / dtype_size(*dtype);
  if (row.num_params < 0 || static_cast<std::size_t>(row.num_params) != num_elements) {
    throw FormatError(what + " has num_params " + std::to_string(row.num_params) +
                      " where its shape has " + std::to_string(num_elements));
  }
}

std::vector<Row> read_rows(parquet::RowGroupReader& row_group, const ModelColumns& columns,
                           const std::string& path) {
  std::vector<Row> rows(static_cast<std::size_t>(row_group.metadata()->num_rows()));
  read_strings(row_group, columns.layer_name, path, rows, &Row::layer_name);
  read_shapes(row_group, columns.shape, path, rows);
  read_strings(row_group, columns.dtype, path, rows, &Row::dtype);
  for_each_value<parquet::Int64Reader>(
      row_group, columns.num_params, path,
      [&](std::size_t row, int64_t value) { rows[row].num_params = value; });
  if (columns.is_v2()) {
    read_strings(row_group, columns.quant_type, path, rows, &Row::quant_type);
    read_int32s(row_group, columns.quant_axis, path, rows, &Row::quant_axis);
    read_int32s(row_group, columns.group_size, path, rows, &Row::group_size);
    read_strings(row_group, columns.layout, path, rows, &Row::layout);
    read_int32s(row_group, columns.shard_index, path, rows, &Row::shard_index);
    for (const Row& row : rows) check_row(row, path);
    check_empty(row_group, columns.scales, path, rows, schema::kScales);
    check_empty(row_group, columns.zero_points, path, rows, schema::kZeroPoints);
  } else {
    for (const Row& row : rows) check_row(row, path);
  }
  return rows;
}

void for_each_binary(parquet::RowGroupReader& row_group, int column, const std::string& path,
                     const std::function<void(std::size_t, std::span<const std::byte>)>& visit) {
  for_each_value<parquet::ByteArrayReader>(
      row_group, column, path,
      [&](std::size_t row, const parquet::ByteArray& value) { visit(row, bytes_of(value)); });
}

}  // namespace aios
