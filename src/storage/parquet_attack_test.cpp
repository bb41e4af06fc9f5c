// Parquet model files that lie, and the errors that say so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/parquet_test_support.h"
#include "storage/parquet_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using namespace storage_test;

class ParquetAttackTest : public FolderTest {
 protected:
  /// The error of opening a file and asking for all that it has.
  static std::string error_of_file(const std::string& file) {
    return message_of<FormatError>([&] {
      const ParquetReader reader(file);
      for (const TensorInfo& info : reader.tensors()) (void)reader.tensor(info.name);
    });
  }
  std::string error_of(const arrow::Table& table) const {
    return error_of_file(write_table(path("w.parquet"), table));
  }
  std::string error_of(const std::vector<ModelRow>& rows, Version version = Version::kV2) const {
    return error_of(*model_table(rows, version));
  }
  /// The error of a file of one good row that `spoil` has changed.
  std::string error_of_row(const std::function<void(ModelRow&)>& spoil) const {
    ModelRow row = good_row("tensor", {1, 2});
    spoil(row);
    return error_of({row});
  }
  std::string error_of_bytes(std::string_view bytes) const {
    return error_of_file(write("w.parquet", bytes));
  }
  /// A file by our own writer, with a directory in its footer.
  std::string sound_file() const {
    ParquetModelWriter writer(path("sound.parquet"));
    writer.add("tensor", tensor_of<float>(DType::kF32, {2, 2}, {1, 2, 3, 4}));
    writer.add("other", tensor_of<int16_t>(DType::kI16, {3}, {1, 2, 3}));
    writer.finish();
    return read_file(path("sound.parquet"));
  }
};

std::shared_ptr<arrow::Table> good_table(Version version) {
  return model_table({good_row("tensor", {1, 2})}, version);
}

std::shared_ptr<arrow::Table> with_column(const std::string& name,
                                          const std::shared_ptr<arrow::Array>& array) {
  const auto table = good_table(Version::kV2);
  return table
      ->SetColumn(table->schema()->GetFieldIndex(name), arrow::field(name, array->type()),
                  std::make_shared<arrow::ChunkedArray>(array))
      .ValueOrDie();
}

TEST_F(ParquetAttackTest, RefusesWhatIsNoParquetFile) {
  EXPECT_THAT(error_of_bytes("x"), HasSubstr("no sound Parquet file"));
  EXPECT_THAT(error_of_bytes("PAR1PAR1"), HasSubstr("no sound Parquet file"));
  EXPECT_THAT(error_of_bytes(std::string(1000, 'x')), HasSubstr("no sound Parquet file"));
  EXPECT_THAT(message_of<IoError>([&] { ParquetReader reader(write("w.parquet", "")); }),
              HasSubstr("empty"));
}

TEST_F(ParquetAttackTest, RefusesEveryTruncation) {
  const std::string whole = sound_file();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_THAT(error_of_bytes(whole.substr(0, size)), HasSubstr("no sound Parquet file")) << size;
  }
}

TEST_F(ParquetAttackTest, RefusesLyingFooterLengths) {
  std::string bytes = sound_file();
  for (const uint32_t length : {0U, 1U, 100U, 1U << 20U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    std::memcpy(bytes.data() + bytes.size() - 8, &length, sizeof(length));
    EXPECT_THAT(error_of_bytes(bytes), HasSubstr("no sound Parquet file")) << length;
  }
}

// Whatever one wrong byte of a footer does, it ends in an error or leaves all as it was.
TEST_F(ParquetAttackTest, SurvivesEveryWrongByteOfTheFooter) {
  const std::string sound = sound_file();
  uint32_t footer_size = 0;
  std::memcpy(&footer_size, sound.data() + sound.size() - 8, sizeof(footer_size));
  int num_refused = 0;
  for (std::size_t at = sound.size() - 8 - footer_size; at < sound.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = sound;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      const std::string error = error_of_bytes(bytes);
      EXPECT_THAT(error, AnyOf(HasSubstr("w.parquet"), "no error")) << at;
      if (error != "no error") ++num_refused;
    }
  }
  EXPECT_GT(num_refused, 1000);
}

TEST_F(ParquetAttackTest, SurvivesEveryWrongByteBeforeTheFooter) {
  const std::string sound = sound_file();
  uint32_t footer_size = 0;
  std::memcpy(&footer_size, sound.data() + sound.size() - 8, sizeof(footer_size));
  for (std::size_t at = 0; at < sound.size() - 8 - footer_size; ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = sound;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      EXPECT_THAT(error_of_bytes(bytes), AnyOf(HasSubstr("w.parquet"), "no error")) << at;
    }
  }
}

TEST_F(ParquetAttackTest, VerifyFindsEveryFlippedBitOfTheData) {
  const std::string sound = sound_file();
  const float values[] = {1, 2, 3, 4};
  const std::size_t begin =
      sound.find(std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  ASSERT_NE(begin, std::string::npos);
  for (std::size_t bit = 0; bit < 8 * sizeof(values); ++bit) {
    std::string bytes = sound;
    bytes[begin + bit / 8] = static_cast<char>(bytes[begin + bit / 8] ^ (1 << (bit % 8)));
    const ParquetReader reader(write("w.parquet", bytes));
    EXPECT_THAT(message_of<FormatError>([&] { reader.verify(); }),
                AllOf(HasSubstr("w.parquet"), HasSubstr("CRC")))
        << bit;
  }
}

TEST_F(ParquetAttackTest, RefusesALyingLengthOfAValue) {
  const std::string sound = sound_file();
  const float values[] = {1, 2, 3, 4};
  const std::size_t begin =
      sound.find(std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  for (const uint32_t length : {0U, 15U, 17U, 0x7fffffffU, 0xfffffffcU, 0xffffffffU}) {
    std::string bytes = sound;
    std::memcpy(bytes.data() + begin - 4, &length, sizeof(length));
    EXPECT_THAT(error_of_bytes(bytes),
                AnyOf(HasSubstr("no sound Parquet file"), HasSubstr("need 16")))
        << length;
  }
}

TEST_F(ParquetAttackTest, RefusesMissingColumns) {
  for (const char* name : {"layer_name", "shape", "dtype", "data", "num_params"}) {
    const auto table = good_table(Version::kV1);
    const int index = table->schema()->GetFieldIndex(name);
    EXPECT_THAT(error_of(*table->RemoveColumn(index).ValueOrDie()),
                HasSubstr(std::string("has no column '") + name + "'"));
  }
  for (const char* name :
       {"data", "quant_axis", "group_size", "layout", "shard_index", "scales", "zero_points"}) {
    const auto table = good_table(Version::kV2);
    const int index = table->schema()->GetFieldIndex(name);
    EXPECT_THAT(error_of(*table->RemoveColumn(index).ValueOrDie()),
                HasSubstr(std::string("has no column '") + name + "'"));
  }
}

TEST_F(ParquetAttackTest, RefusesColumnsOfAnotherType) {
  const std::vector<ModelRow> rows(1);
  const auto strings =
      column_of<arrow::StringBuilder>(rows, [](const ModelRow&) { return std::string("x"); });
  const auto numbers = column_of<arrow::Int32Builder>(rows, [](const ModelRow&) { return 1; });
  EXPECT_THAT(error_of(*with_column("data", numbers)),
              HasSubstr("column 'data' is not one column of type BYTE_ARRAY"));
  EXPECT_THAT(error_of(*with_column("layer_name", numbers)), HasSubstr("column 'layer_name'"));
  EXPECT_THAT(error_of(*with_column("num_params", numbers)), HasSubstr("type INT64"));
  EXPECT_THAT(error_of(*with_column("shape", numbers)), HasSubstr("type INT32 list"));
  EXPECT_THAT(error_of(*with_column("shape", strings)), HasSubstr("type INT32 list"));
  EXPECT_THAT(error_of(*with_column("group_size", shape_column(rows))),
              HasSubstr("column 'group_size'"));
}

TEST_F(ParquetAttackTest, RefusesAColumnThatIsThereTwice) {
  const auto table = good_table(Version::kV2);
  const auto twice =
      table->AddColumn(0, arrow::field("data", arrow::binary()), table->GetColumnByName("data"))
          .ValueOrDie();
  EXPECT_THAT(error_of(*twice), HasSubstr("column 'data' is not one column"));
}

TEST_F(ParquetAttackTest, RefusesNulls) {
  arrow::StringBuilder name;
  name.AppendNull().ok();
  EXPECT_THAT(error_of(*with_column("layer_name", name.Finish().ValueOrDie())),
              HasSubstr("column 'layer_name' has a null"));
  arrow::BinaryBuilder data;
  data.AppendNull().ok();
  EXPECT_THAT(error_of(*with_column("data", data.Finish().ValueOrDie())),
              HasSubstr("column 'data' has a null"));
  auto extents = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder shape(arrow::default_memory_pool(), extents);
  shape.Append().ok();
  extents->AppendNull().ok();
  EXPECT_THAT(error_of(*with_column("shape", shape.Finish().ValueOrDie())),
              HasSubstr("has a null extent"));
}

TEST_F(ParquetAttackTest, RefusesShapesThatAreWrong) {
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.shape = {-2}; }),
              HasSubstr("tensor 'tensor': its shape has the negative extent -2"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.shape.assign(3, 0x7fffffff); }),
              HasSubstr("its shape overflows"));
  EXPECT_THAT(error_of_row([](ModelRow& r) {
                r.row.shape = {0x7fffffff, 0x7fffffff, 4, 0};
              }),
              HasSubstr("its shape overflows"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.shape.assign(17, 1); }),
              HasSubstr("more than 16 extents"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.num_params = 3; }),
              HasSubstr("num_params 3 where its shape has 2"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.num_params = -2; }), HasSubstr("num_params -2"));
}

TEST_F(ParquetAttackTest, RefusesDataThatDoesNotFitTheShape) {
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.data.pop_back(); }),
              HasSubstr("has 7 bytes where its shape and dtype need 8"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.data += 'x'; }), HasSubstr("has 9 bytes"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.data.clear(); }), HasSubstr("has 0 bytes"));
}

TEST_F(ParquetAttackTest, NamesWhatThisBuildDoesNotKnow) {
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.dtype = "f8"; }),
              HasSubstr("unknown dtype 'f8'"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.quant_type = "int4"; }),
              AllOf(HasSubstr("tensor 'tensor' has quant_type 'int4'"), HasSubstr("convert")));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.row.layout = "panel_16"; }),
              HasSubstr("layout 'panel_16'"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.scales = "x"; }),
              HasSubstr("is not quantised, yet has scales"));
  EXPECT_THAT(error_of_row([](ModelRow& r) { r.zero_points = "x"; }),
              HasSubstr("is not quantised, yet has zero_points"));
}

TEST_F(ParquetAttackTest, RefusesNamesThatAreTwiceOrHuge) {
  EXPECT_THAT(error_of({good_row("a", {1}), good_row("b", {1}), good_row("a", {1})}),
              HasSubstr("tensor 'a' is there twice"));
  EXPECT_THAT(error_of({good_row("a", {1}), good_row("a", {1})}, Version::kV1),
              HasSubstr("tensor 'a' is there twice"));
  EXPECT_THAT(error_of({good_row(std::string(5000, 'n'), {1})}),
              HasSubstr("a name of 5000 bytes; the limit is 4096"));
}

TEST_F(ParquetAttackTest, RefusesMoreThanAMillionRows) {
  EXPECT_THAT(error_of(std::vector<ModelRow>(1'000'001), Version::kV1),
              HasSubstr("more than 1000000 rows"));
}

TEST_F(ParquetAttackTest, RefusesShardsThatDoNotFollowEachOther) {
  const auto shard = [](int32_t index) {
    ModelRow row = good_row("a", {1});
    row.row.shape = {3};
    row.row.num_params = 3;
    row.row.shard_index = index;
    return row;
  };
  EXPECT_THAT(error_of({shard(1)}), HasSubstr("shard 1 of tensor 'a'"));
  EXPECT_THAT(error_of({shard(0), shard(2)}), HasSubstr("shard 2 of tensor 'a'"));
  EXPECT_THAT(error_of({shard(0), shard(1), shard(1)}), HasSubstr("shard 1 of tensor 'a'"));
  EXPECT_THAT(error_of({shard(0), good_row("b", {1}), shard(1)}),
              HasSubstr("shard 1 of tensor 'a'"));
  EXPECT_THAT(error_of({shard(0), shard(-1)}), HasSubstr("shard -1 of tensor 'a'"));
  EXPECT_THAT(error_of({shard(0), shard(1)}),
              HasSubstr("has 8 bytes where its shape and dtype need 12"));
  ModelRow other_shape = shard(1);
  other_shape.row.shape = {1, 3};
  EXPECT_THAT(error_of({shard(0), other_shape, shard(2)}), HasSubstr("shard 1 of tensor 'a'"));
}

TEST_F(ParquetAttackTest, RefusesADirectoryThatContradictsTheColumns) {
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string bytes = sound_file();
    const std::size_t at = bytes.rfind(from);
    EXPECT_NE(at, std::string::npos);
    return error_of_bytes(bytes.replace(at, from.size(), to));
  };
  const auto contradiction = HasSubstr("the directory in the footer contradicts row group 0");
  EXPECT_THAT(changed(R"("dtype":"f32")", R"("dtype":"i32")"), contradiction);
  EXPECT_THAT(changed(R"("shape":[2,2])", R"("shape":[4,1])"), contradiction);
  EXPECT_THAT(changed(R"("layer_name":"tensor")", R"("layer_name":"tensex")"), contradiction);
  EXPECT_THAT(changed(R"("quant_type":"none")", R"("quant_type":"int4")"),
              HasSubstr("quant_type 'int4'"));
  EXPECT_THAT(changed(R"("shape":[2,2])", R"("shape":[9,2])"), HasSubstr("num_params 4"));
}

}  // namespace
}  // namespace aios
