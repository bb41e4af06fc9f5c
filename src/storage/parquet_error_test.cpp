// Parquet model files whose rows or columns are wrong, and the errors that say so: one named test
// each. Files that are damaged as a whole: parquet_damage_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/parquet_test_support.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ValuesIn;
using namespace storage_test;

using TablePtr = std::shared_ptr<arrow::Table>;

struct Case {
  std::string name;
  TablePtr table;
  std::string message;
};

TablePtr good_table(Version version = Version::kV2) {
  return model_table({good_row("tensor", {1, 2})}, version);
}

/// A table of one good row that `spoil` has changed.
TablePtr spoiled(const std::function<void(ModelRow&)>& spoil) {
  ModelRow row = good_row("tensor", {1, 2});
  spoil(row);
  return model_table({row}, Version::kV2);
}

/// A good table with another column in the place of one.
TablePtr with_column(const std::string& name, const std::shared_ptr<arrow::Array>& array) {
  const auto table = good_table();
  return table
      ->SetColumn(table->schema()->GetFieldIndex(name), arrow::field(name, array->type()),
                  std::make_shared<arrow::ChunkedArray>(array))
      .ValueOrDie();
}

TablePtr without_column(const std::string& name, Version version) {
  const auto table = good_table(version);
  return table->RemoveColumn(table->schema()->GetFieldIndex(name)).ValueOrDie();
}

void read_all(const std::string& file) {
  const ParquetReader reader(file);
  for (const TensorInfo& info : reader.tensors()) (void)reader.tensor(info.name);
}

std::vector<Case> missing_column_cases() {
  std::vector<Case> cases;
  for (const char* name : {"layer_name", "shape", "dtype", "data", "num_params"}) {
    cases.push_back({std::string("V1_") + name, without_column(name, Version::kV1),
                     std::string("is no model file: it has no column '") + name + "'"});
  }
  for (const char* name : {"layer_name", "data", "quant_axis", "group_size", "layout",
                           "shard_index", "scales", "zero_points"}) {
    cases.push_back({std::string("V2_") + name, without_column(name, Version::kV2),
                     std::string("is no model file: it has no column '") + name + "'"});
  }
  return cases;
}

std::vector<Case> column_cases() {
  const std::vector<ModelRow> rows(1);
  const auto text =
      column_of<arrow::StringBuilder>(rows, [](const ModelRow&) { return std::string("x"); });
  const auto number = column_of<arrow::Int32Builder>(rows, [](const ModelRow&) { return 1; });
  const auto twice = good_table()
                         ->AddColumn(0, arrow::field("data", arrow::binary()),
                                     good_table()->GetColumnByName("data"))
                         .ValueOrDie();
  return {{"NumbersForData", with_column("data", number),
           "column 'data' is not one column of type BYTE_ARRAY"},
          {"NumbersForNames", with_column("layer_name", number),
           "column 'layer_name' is not one column of type BYTE_ARRAY"},
          {"NarrowNumbersForCounts", with_column("num_params", number),
           "column 'num_params' is not one column of type INT64"},
          {"NumbersForShapes", with_column("shape", number),
           "column 'shape' is not one column of type INT32 list"},
          {"TextForShapes", with_column("shape", text),
           "column 'shape' is not one column of type INT32 list"},
          {"ListsForGroupSizes", with_column("group_size", shape_column(rows)),
           "column 'group_size' is not one column of type INT32"},
          {"ColumnThatIsThereTwice", twice, "column 'data' is not one column"}};
}

std::vector<Case> null_cases() {
  arrow::StringBuilder name;
  name.AppendNull().ok();
  arrow::BinaryBuilder data;
  data.AppendNull().ok();
  auto extents = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder shape(arrow::default_memory_pool(), extents);
  shape.Append().ok();
  extents->AppendNull().ok();
  return {{"NullName", with_column("layer_name", name.Finish().ValueOrDie()),
           "column 'layer_name' has a null"},
          {"NullData", with_column("data", data.Finish().ValueOrDie()), "column 'data' has a null"},
          {"NullExtent", with_column("shape", shape.Finish().ValueOrDie()),
           "column 'shape' has a null extent"}};
}

std::vector<Case> row_cases() {
  return {{"NegativeExtent", spoiled([](ModelRow& r) { r.row.shape = {-2}; }),
           "tensor 'tensor': its shape has the negative extent -2"},
          {"ShapeThatOverflows", spoiled([](ModelRow& r) { r.row.shape.assign(3, 0x7fffffff); }),
           "tensor 'tensor': its shape overflows"},
          {"OverflowHiddenByAZero", spoiled([](ModelRow& r) {
             r.row.shape = {0x7fffffff, 0x7fffffff, 4, 0};
           }),
           "tensor 'tensor': its shape overflows"},
          {"ShapeOf17Extents", spoiled([](ModelRow& r) { r.row.shape.assign(17, 1); }),
           "column 'shape' has a list of more than 16 extents"},
          {"CountThatIsNotTheShapes", spoiled([](ModelRow& r) { r.row.num_params = 3; }),
           "tensor 'tensor' has num_params 3 where its shape has 2"},
          {"NegativeCount", spoiled([](ModelRow& r) { r.row.num_params = -2; }),
           "tensor 'tensor' has num_params -2 where its shape has 2"},
          {"DataThatIsTooShort", spoiled([](ModelRow& r) { r.data.pop_back(); }),
           "tensor 'tensor' has 7 bytes where its shape and dtype need 8"},
          {"DataThatIsTooLong", spoiled([](ModelRow& r) { r.data += 'x'; }),
           "tensor 'tensor' has 9 bytes where its shape and dtype need 8"},
          {"DataThatIsEmpty", spoiled([](ModelRow& r) { r.data.clear(); }),
           "tensor 'tensor' has 0 bytes where its shape and dtype need 8"},
          {"UnknownDtype", spoiled([](ModelRow& r) { r.row.dtype = "f8"; }),
           "tensor 'tensor' has the unknown dtype 'f8'"},
          {"UnknownQuantType", spoiled([](ModelRow& r) { r.row.quant_type = "int3"; }),
           "tensor 'tensor' has quant_type 'int3', which this build does not know; update it"},
          {"UnknownLayout", spoiled([](ModelRow& r) { r.row.layout = "panel_16"; }),
           "tensor 'tensor' has layout 'panel_16', which this build does not know"},
          {"ScalesWithoutQuantisation", spoiled([](ModelRow& r) { r.scales = "x"; }),
           "tensor 'tensor' is not quantised, yet has scales"},
          {"ZeroPointsWithoutQuantisation", spoiled([](ModelRow& r) { r.zero_points = "x"; }),
           "tensor 'tensor' is not quantised, yet has zero_points"},
          {"NameThatIsNotUtf8", spoiled([](ModelRow& r) { r.row.layer_name = "n\xff"; }),
           "the name of a tensor is not UTF-8"},
          {"NameOf5000Bytes", spoiled([](ModelRow& r) { r.row.layer_name.assign(5000, 'n'); }),
           "a name of 5000 bytes; the limit is 4096"}};
}

std::vector<Case> several_row_cases() {
  const auto shard = [](int32_t index) {
    ModelRow row = good_row("a", {1});
    row.row.shape = {3};
    row.row.num_params = 3;
    row.row.shard_index = index;
    return row;
  };
  const auto v2 = [](const std::vector<ModelRow>& rows) { return model_table(rows, Version::kV2); };
  ModelRow other_shape = shard(1);
  other_shape.row.shape = {1, 3};
  return {
      {"TensorThatIsThereTwice", v2({good_row("a", {1}), good_row("b", {1}), good_row("a", {1})}),
       "tensor 'a' is there twice"},
      {"TensorThatIsThereTwiceInV1",
       model_table({good_row("a", {1}), good_row("a", {1})}, Version::kV1),
       "tensor 'a' is there twice"},
      {"FirstShardMissing", v2({shard(1)}),
       "shard 1 of tensor 'a' does not follow its shard before"},
      {"MiddleShardMissing", v2({shard(0), shard(2)}), "shard 2 of tensor 'a'"},
      {"LastShardMissing", v2({shard(0), shard(1)}),
       "tensor 'a' has 8 bytes where its shape and dtype need 12"},
      {"ShardThatIsThereTwice", v2({shard(0), shard(1), shard(1)}), "shard 1 of tensor 'a'"},
      {"TensorBetweenShards", v2({shard(0), good_row("b", {1}), shard(1)}),
       "shard 1 of tensor 'a'"},
      {"NegativeShard", v2({shard(0), shard(-1)}), "shard -1 of tensor 'a'"},
      {"ShardOfAnotherShape", v2({shard(0), other_shape, shard(2)}), "shard 1 of tensor 'a'"}};
}

class ParquetErrorTest : public FolderTest, public ::testing::WithParamInterface<Case> {};

TEST_P(ParquetErrorTest, IsRefused) {
  const std::string file = write_table(path("w.parquet"), *GetParam().table);
  EXPECT_THAT(message_of<FormatError>([&] { read_all(file); }),
              AllOf(HasSubstr(GetParam().message), HasSubstr("w.parquet")));
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(MissingColumn, ParquetErrorTest, ValuesIn(missing_column_cases()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Column, ParquetErrorTest, ValuesIn(column_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Null, ParquetErrorTest, ValuesIn(null_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Row, ParquetErrorTest, ValuesIn(row_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Rows, ParquetErrorTest, ValuesIn(several_row_cases()), name_of);

using ParquetRowsTest = FolderTest;

TEST_F(ParquetRowsTest, RefusesMoreThanAMillion) {
  const std::vector<ModelRow> rows(1'000'001);
  const std::string file = write_table(path("w.parquet"), *model_table(rows, Version::kV1));
  EXPECT_THAT(message_of<FormatError>([&] { ParquetReader reader(file); }),
              HasSubstr("claims more than 1000000 rows"));
}

}  // namespace
}  // namespace aios
