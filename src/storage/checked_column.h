/// Columns of Parquet files that nobody vouches for. Inside `storage` only.
#pragma once

#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <memory>
#include <string>

namespace aios {

/// A reader of one column that refuses dictionaries of more values than their bytes can hold: Arrow
/// takes 16 bytes of memory for each value that a page's header claims, up to 34 GB.
/// @throws FormatError, here and when it is read
[[nodiscard]] std::shared_ptr<parquet::ColumnReader> open_column(parquet::RowGroupReader& row_group,
                                                                 int column,
                                                                 const std::string& path);

}  // namespace aios
