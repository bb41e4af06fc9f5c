/// Model files as any other Arrow program would write them, for tests: V1, foreign V2, and odd
/// ones.
#pragma once

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/quantization_schema.h"

namespace aios::storage_test {

struct ModelRow {
  quantization_schema::Row row;
  std::string data;
  std::string scales;
  std::string zero_points;
};

/// A row of f32 data that is in order; tests then spoil it.
inline ModelRow good_row(const std::string& name, const std::vector<float>& values) {
  ModelRow row;
  row.row.layer_name = name;
  row.row.shape = {static_cast<int64_t>(values.size())};
  row.row.dtype = "f32";
  row.row.num_params = static_cast<int64_t>(values.size());
  row.data.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return row;
}

enum class Version { kV1, kV2 };

template <typename Builder, typename Get>
std::shared_ptr<arrow::Array> column_of(const std::vector<ModelRow>& rows, Get get) {
  Builder builder;
  for (const ModelRow& row : rows) builder.Append(get(row)).ok();
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<arrow::Array> shape_column(const std::vector<ModelRow>& rows) {
  auto values = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const ModelRow& row : rows) {
    builder.Append().ok();
    for (const int64_t extent : row.row.shape) values->Append(static_cast<int32_t>(extent)).ok();
  }
  return builder.Finish().ValueOrDie();
}

/// All columns nullable, as Arrow makes them unless told otherwise.
inline std::shared_ptr<arrow::Table> model_table(const std::vector<ModelRow>& rows,
                                                 Version version) {
  using arrow::BinaryBuilder;
  using arrow::Int32Builder;
  using arrow::StringBuilder;
  const auto string = [&](std::string quantization_schema::Row::*field) {
    return column_of<StringBuilder>(rows, [=](const ModelRow& r) { return r.row.*field; });
  };
  const auto int32 = [&](int32_t quantization_schema::Row::*field) {
    return column_of<Int32Builder>(rows, [=](const ModelRow& r) { return r.row.*field; });
  };
  const auto binary = [&](std::string ModelRow::*field) {
    return column_of<BinaryBuilder>(rows, [=](const ModelRow& r) { return r.*field; });
  };
  using quantization_schema::Row;
  std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> columns = {
      {"layer_name", string(&Row::layer_name)},
      {"shape", shape_column(rows)},
      {"dtype", string(&Row::dtype)},
      {"data", binary(&ModelRow::data)},
      {"num_params",
       column_of<arrow::Int64Builder>(rows, [](const ModelRow& r) { return r.row.num_params; })}};
  if (version == Version::kV2) {
    columns.insert(columns.end(), {{"quant_type", string(&Row::quant_type)},
                                   {"quant_axis", int32(&Row::quant_axis)},
                                   {"group_size", int32(&Row::group_size)},
                                   {"layout", string(&Row::layout)},
                                   {"shard_index", int32(&Row::shard_index)},
                                   {"scales", binary(&ModelRow::scales)},
                                   {"zero_points", binary(&ModelRow::zero_points)}});
  }
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

/// Plain and uncompressed, or with dictionaries and Snappy as pyarrow writes by default.
enum class Encoding { kPlain, kCompressed };

inline std::string write_table(const std::string& path, const arrow::Table& table,
                               Encoding encoding = Encoding::kPlain,
                               int64_t rows_per_group = 1 << 20) {
  parquet::WriterProperties::Builder properties;
  if (encoding == Encoding::kPlain) {
    properties.disable_dictionary();
  } else {
    properties.compression(parquet::Compression::SNAPPY);
  }
  auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto status = parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink,
                                                 rows_per_group, properties.build());
  if (!status.ok() || !sink->Close().ok()) throw std::runtime_error(status.ToString());
  return path;
}

}  // namespace aios::storage_test
