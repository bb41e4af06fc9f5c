/// The rows of a row group, read column by column with the low-level reader. Inside `storage` only.
///
/// Works for any encoding and compression; what the profile of docs/formats/parquet-v2.md stores is
/// met where it lies, without a copy.
#pragma once

#include <parquet/file_reader.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "storage/quantization_schema.h"

namespace aios {

/// Column numbers of a model file.
struct ModelColumns {
  int layer_name = -1;
  int shape = -1;
  int dtype = -1;
  int num_params = -1;
  int data = -1;
  // V2 only:
  int quant_type = -1;
  int quant_axis = -1;
  int group_size = -1;
  int layout = -1;
  int shard_index = -1;
  int scales = -1;
  int zero_points = -1;

  [[nodiscard]] bool is_v2() const noexcept { return quant_type >= 0; }
};

/// @throws FormatError if a column is missing, there twice, or not of its type
[[nodiscard]] ModelColumns find_columns(const parquet::SchemaDescriptor& schema,
                                        const std::string& path);

/// All rows of a row group, each checked for what this build reads (known dtype and quantisation,
/// shape and count that agree). Throws FormatError, and what the libraries throw.
[[nodiscard]] std::vector<quantization_schema::Row> read_rows(parquet::RowGroupReader& row_group,
                                                              const ModelColumns& columns,
                                                              const std::string& path);

/// Calls `visit(row, value)` for each row's value of a BYTE_ARRAY column in order; a value lives
/// until the next call.
void for_each_binary(parquet::RowGroupReader& row_group, int column, const std::string& path,
                     const std::function<void(std::size_t, std::span<const std::byte>)>& visit);

/// @throws FormatError if this build cannot read a tensor that the row describes
void check_row(const quantization_schema::Row& row, const std::string& path);

}  // namespace aios
