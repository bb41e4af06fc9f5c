// Quantised tensors in Parquet V2 files: written, rewritten by others, damaged.
#include "storage/quantized_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/parquet_test_support.h"
#include "storage/parquet_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ValuesIn;
using namespace storage_test;

/// The parts of a matrix of random codes and blocks, with scales above 0.
struct Parts {
  Parts(const QuantizedFormat& parts_format, int64_t rows, int64_t depth, uint32_t seed = 1)
      : format(parts_format), shape{rows, depth} {
    const QuantizedSizes sizes = quantized_sizes(format, shape);
    codes = pattern(sizes.data, seed);
    blocks = pattern(sizes.zero_points, seed + 1);
    for (std::size_t i = 0; i < sizes.scales / 2; ++i) {
      scales.push_back(static_cast<uint16_t>(0x2000 + (seed * 31 + i * 7) % 0x3000));
    }
  }

  /// Borrows.
  [[nodiscard]] TensorView view() const {
    return {.dtype = DType::kBF16,
            .shape = shape,
            .data = std::as_bytes(std::span(codes)).data(),
            .num_bytes = codes.size(),
            .owner = {},
            .format = format,
            .blocks = std::as_bytes(std::span(blocks)),
            .scales = std::as_bytes(std::span(scales))};
  }

  QuantizedFormat format;
  std::vector<int64_t> shape;
  std::vector<uint8_t> codes;
  std::vector<uint8_t> blocks;
  std::vector<uint16_t> scales;
};

bool is_aligned(std::span<const std::byte> part) {
  return reinterpret_cast<std::uintptr_t>(part.data()) % quantization_schema::kValueAlignment == 0;
}

std::span<const std::byte> codes_of(const TensorView& view) { return {view.data, view.num_bytes}; }

void expect_same(const TensorView& read, const TensorView& written) {
  EXPECT_EQ(read.dtype, written.dtype);
  EXPECT_EQ(read.shape, written.shape);
  EXPECT_EQ(read.format, written.format);
  EXPECT_TRUE(std::ranges::equal(codes_of(read), codes_of(written)));
  EXPECT_TRUE(std::ranges::equal(read.blocks, written.blocks));
  EXPECT_TRUE(std::ranges::equal(read.scales, written.scales));
  EXPECT_TRUE(is_aligned(codes_of(read)));
  EXPECT_TRUE(read.blocks.empty() || is_aligned(read.blocks));
  EXPECT_TRUE(is_aligned(read.scales));
}

const std::vector<QuantizedFormat>& formats() {
  static const std::vector<QuantizedFormat> formats = {
      {QuantType::kInt8, 0},  {QuantType::kInt8, 32},  {QuantType::kInt4, 0},
      {QuantType::kInt4, 64}, {QuantType::kInt4, 128}, {QuantType::kInt2, 128}};
  return formats;
}

std::string name_of(const QuantizedFormat& format) {
  return std::string(quant_type_name(format.type)) + "/" + std::to_string(format.group_size);
}

using QuantizedTensorTest = FolderTest;

TEST_F(QuantizedTensorTest, EveryTypeIsMappedAsItWasWritten) {
  const std::string file = path("weights.parquet");
  std::vector<Parts> matrices;
  for (const QuantizedFormat& format : formats()) {
    for (const int64_t depth : {1, 31, 88, 384, 1100}) matrices.emplace_back(format, 33, depth);
  }
  ParquetModelWriter writer(file);
  const auto name = [](const Parts& parts) {
    return name_of(parts.format) + "x" + std::to_string(parts.shape[1]);
  };
  for (const Parts& parts : matrices) writer.add(name(parts), parts.view());
  writer.add("norm", tensor_of<float>(DType::kF32, {2}, {1, 2}));
  writer.finish();

  const ParquetReader reader(file);
  ASSERT_EQ(reader.tensors().size(), matrices.size() + 1);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const Parts& parts = matrices[i];
    EXPECT_EQ(reader.tensors()[i].format, parts.format);
    EXPECT_EQ(reader.tensors()[i].num_bytes, quantized_sizes(parts.format, parts.shape).total());
    const TensorView read = reader.tensor(name(parts));
    expect_same(read, parts.view());
    for (const auto part : {codes_of(read), read.blocks, read.scales}) {
      EXPECT_TRUE(part.empty() || lies_in_mapping(part, file)) << name(parts);
    }
  }
  EXPECT_FALSE(reader.tensor("norm").is_quantized());
  reader.verify();
}

TEST_F(QuantizedTensorTest, AViewOutlivesItsReader) {
  const Parts parts({QuantType::kInt4, 128}, 40, 200);
  ParquetModelWriter writer(path("weights.parquet"));
  writer.add("w", parts.view());
  writer.finish();
  TensorView view;
  {
    const ParquetReader reader(path("weights.parquet"));
    view = reader.tensor("w");
  }
  expect_same(view, parts.view());
}

TEST_F(QuantizedTensorTest, ShardsAreMappedAsOneAndTheFirstHasTheScales) {
  constexpr std::size_t kShard = quantization_schema::kShardAlignment;
  const std::string file = path("weights.parquet");
  const Parts parts({QuantType::kInt4, 128}, 96, 3000);
  ASSERT_GT(parts.codes.size(), 2 * kShard);
  ParquetModelWriter writer(file, kShard);
  writer.add("before", Parts({QuantType::kInt2, 128}, 3, 50).view());
  writer.add("w", parts.view());
  writer.finish();
  const ParquetReader reader(file);
  EXPECT_EQ(reader.tensors().size(), 2U);
  const TensorView read = reader.tensor("w");
  expect_same(read, parts.view());
  EXPECT_TRUE(lies_in_mapping(read.blocks, file));
  reader.verify();
}

/// A row of a matrix that is in order, as another program would write it; tests then spoil it.
ModelRow quantized_row(const std::string& name, const Parts& parts) {
  const auto bytes = [](std::span<const std::byte> part) {
    return std::string(reinterpret_cast<const char*>(part.data()), part.size());
  };
  const TensorView view = parts.view();
  ModelRow row;
  row.row = {.layer_name = name,
             .shape = parts.shape,
             .dtype = "bf16",
             .num_params = parts.shape[0] * parts.shape[1],
             .quant_type = std::string(quant_type_name(parts.format.type)),
             .quant_axis = 1,
             .group_size = parts.format.group_size,
             .layout = "panel_32",
             .shard_index = 0};
  row.data = bytes(codes_of(view));
  row.scales = bytes(view.scales);
  row.zero_points = bytes(view.blocks);
  return row;
}

TEST_F(QuantizedTensorTest, AFileThatAnotherToolRewroteIsCopied) {
  std::vector<Parts> matrices;
  std::vector<ModelRow> rows = {good_row("norm", {1, 2, 3})};
  for (const QuantizedFormat& format : formats()) {
    matrices.emplace_back(format, 33, 88, static_cast<uint32_t>(matrices.size()));
    rows.push_back(quantized_row(name_of(format), matrices.back()));
  }
  const auto table = model_table(rows, Version::kV2);
  for (const Encoding encoding : {Encoding::kCompressed, Encoding::kPlain}) {
    for (const int64_t rows_per_group : {2, 1000}) {
      const ParquetReader reader(write_table(path("w.parquet"), *table, encoding, rows_per_group));
      for (const Parts& parts : matrices) {
        expect_same(reader.tensor(name_of(parts.format)), parts.view());
      }
      EXPECT_EQ(reader.tensor("norm").as<float>()[2], 3);
    }
  }
}

struct Case {
  std::string name;
  std::function<void(ModelRow&)> spoil;
  std::string message;
};

/// Puts an f16 in the place of the third scale.
std::function<void(ModelRow&)> scale_of(uint16_t f16) {
  return [f16](ModelRow& row) {
    row.scales[4] = static_cast<char>(f16 & 0xff);
    row.scales[5] = static_cast<char>(f16 >> 8);
  };
}

std::vector<Case> scale_cases() {
  return {{"Nan", scale_of(0x7e00), "tensor 'w': scale 2 is nan; scales are finite and above 0"},
          {"NegativeNan", scale_of(0xfe00), "tensor 'w': scale 2 is -nan"},
          {"Infinite", scale_of(0x7c00), "tensor 'w': scale 2 is inf"},
          {"NegativeInfinite", scale_of(0xfc00), "tensor 'w': scale 2 is -inf"},
          {"Zero", scale_of(0x0000), "tensor 'w': scale 2 is 0.0"},
          {"NegativeZero", scale_of(0x8000), "tensor 'w': scale 2 is -0.0"},
          {"Negative", scale_of(0xbc00), "tensor 'w': scale 2 is -1.0"}};
}

std::vector<Case> part_cases() {
  return {
      {"DataTooShort", [](ModelRow& r) { r.data.pop_back(); }, "tensor 'w' has 3071 bytes"},
      {"DataTooLong", [](ModelRow& r) { r.data += 'x'; }, "tensor 'w' has 3073 bytes"},
      {"DataEmpty", [](ModelRow& r) { r.data.clear(); }, "tensor 'w' has 0 bytes"},
      {"ScalesTooShort", [](ModelRow& r) { r.scales.pop_back(); },
       "tensor 'w' has 127 bytes of scales where its shape and quant_type need 128"},
      {"ScalesTooLong", [](ModelRow& r) { r.scales += "xx"; },
       "tensor 'w' has 130 bytes of scales where its shape and quant_type need 128"},
      {"ScalesEmpty", [](ModelRow& r) { r.scales.clear(); }, "tensor 'w' has 0 bytes of scales"},
      {"ZeroPointsTooShort", [](ModelRow& r) { r.zero_points.pop_back(); },
       "tensor 'w' has 383 bytes of zero_points where its shape and quant_type need 384"},
      {"ZeroPointsTooLong", [](ModelRow& r) { r.zero_points += 'x'; },
       "tensor 'w' has 385 bytes of zero_points"},
      {"ZeroPointsEmpty", [](ModelRow& r) { r.zero_points.clear(); },
       "tensor 'w' has 0 bytes of zero_points"}};
}

std::vector<Case> field_cases() {
  std::vector<Case> cases = {
      {"UnknownQuantType", [](ModelRow& r) { r.row.quant_type = "int3"; },
       "tensor 'w' has quant_type 'int3', which this build does not know; update it"},
      {"UnknownLayout", [](ModelRow& r) { r.row.layout = "panel_64"; },
       "tensor 'w' has layout 'panel_64', which this build does not know for quant_type 'int4'"},
      {"RowMajorLayout", [](ModelRow& r) { r.row.layout = "row_major"; },
       "tensor 'w' has layout 'row_major', which this build does not know for quant_type 'int4'"},
      {"PanelsOfElements", [](ModelRow& r) { r.row.quant_type = "none"; },
       "tensor 'w' has layout 'panel_32', which this build does not know for quant_type 'none'"},
      {"AxisOfRows", [](ModelRow& r) { r.row.quant_axis = 0; },
       "tensor 'w' has quant_axis 0; groups run along axis 1"},
      {"AxisOfNone", [](ModelRow& r) { r.row.quant_axis = -1; }, "tensor 'w' has quant_axis -1"},
      {"OneExtent", [](ModelRow& r) { r.row.shape = {33 * 88}; },
       "tensor 'w' is quantised, but no matrix with rows and columns"},
      {"ThreeExtents",
       [](ModelRow& r) {
         r.row.shape = {3, 11, 88};
       },
       "tensor 'w' is quantised, but no matrix with rows and columns"},
      {"NoRows",
       [](ModelRow& r) {
         r.row.shape = {0, 88};
         r.row.num_params = 0;
       },
       "tensor 'w' is quantised, but no matrix with rows and columns"},
      {"NoDepth",
       [](ModelRow& r) {
         r.row.shape = {33, 0};
         r.row.num_params = 0;
       },
       "tensor 'w' is quantised, but no matrix with rows and columns"},
      {"NegativeExtents",
       [](ModelRow& r) {
         r.row.shape = {-33, -88};
       },
       "tensor 'w' is quantised, but no matrix with rows and columns"},
      {"GreatestExtents",
       [](ModelRow& r) {
         r.row.shape = {0x7fffffff, 0x7fffffff};
         r.row.num_params = int64_t{0x7fffffff} * 0x7fffffff;
       },
       "tensor 'w' has 3072 bytes where its shape and dtype need 2305843009213693952"}};
  for (const int32_t size : {-32, 1, 16, 33, 96, 256, 0x40000000}) {
    cases.push_back(
        {"GroupSize" + std::string(size < 0 ? "Minus" : "") + std::to_string(std::abs(size)),
         [size](ModelRow& r) { r.row.group_size = size; },
         "tensor 'w' has group_size " + std::to_string(size) +
             "; it is 32, 64, 128, or 0 for whole rows"});
  }
  return cases;
}

class QuantizedErrorTest : public FolderTest, public ::testing::WithParamInterface<Case> {};

TEST_P(QuantizedErrorTest, IsRefused) {
  ModelRow row = quantized_row("w", Parts({QuantType::kInt4, 128}, 33, 88));
  GetParam().spoil(row);
  const std::string file = write_table(path("w.parquet"), *model_table({row}, Version::kV2));
  const auto read = [&] { (void)ParquetReader(file).tensor("w"); };
  EXPECT_THAT(message_of<FormatError>(read),
              AllOf(HasSubstr(GetParam().message), HasSubstr("w.parquet")));
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Scale, QuantizedErrorTest, ValuesIn(scale_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Part, QuantizedErrorTest, ValuesIn(part_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Field, QuantizedErrorTest, ValuesIn(field_cases()), case_name);

TEST_F(QuantizedTensorTest, ZeroPointsOfInt8AreRefused) {
  ModelRow row = quantized_row("w", Parts({QuantType::kInt8, 0}, 33, 88));
  row.zero_points = "x";
  const std::string file = write_table(path("w.parquet"), *model_table({row}, Version::kV2));
  EXPECT_THAT(message_of<FormatError>([&] { (void)ParquetReader(file).tensor("w"); }),
              HasSubstr("has 1 bytes of zero_points where its shape and quant_type need 0"));
}

TEST_F(QuantizedTensorTest, AFileOfANewerVersionIsRefused) {
  ParquetModelWriter writer(path("new.parquet"));
  writer.add("w", Parts({QuantType::kInt8, 0}, 2, 2).view());
  writer.finish();
  std::string bytes = read_file(path("new.parquet"));
  // In the footer a string is preceded by its type and length: key, two bytes, "2".
  const std::string_view key = quantization_schema::kVersionKey;
  const std::size_t version = bytes.find(key) + key.size() + 2;
  ASSERT_EQ(bytes[version], '2');
  bytes[version] = '3';
  const std::string file = write("new.parquet", bytes);
  EXPECT_THAT(message_of<FormatError>([&] { const ParquetReader reader(file); }),
              AllOf(HasSubstr("new.parquet' is of format version '3'"),
                    HasSubstr("this build does not know; update it")));
}

TEST_F(QuantizedTensorTest, WritingPartsThatDoNotFitIsRefused) {
  const Parts parts({QuantType::kInt2, 128}, 33, 88);
  ParquetModelWriter writer(path("w.parquet"));
  const auto message = [&](const TensorView& view) {
    return message_of<FormatError>([&] { writer.add("w", view); });
  };
  TensorView view = parts.view();
  view.num_bytes -= 1;
  EXPECT_THAT(message(view), HasSubstr("tensor 'w' has 1535 bytes of data"));
  view = parts.view();
  view.scales = view.scales.first(2);
  EXPECT_THAT(message(view), HasSubstr("tensor 'w' has 2 bytes of scales"));
  view = parts.view();
  view.format.group_size = 7;
  EXPECT_THAT(message(view), HasSubstr("tensor 'w' has group_size 7"));
  view = parts.view();
  view.shape = {33, 88, 1};
  EXPECT_THAT(message(view), HasSubstr("no matrix with rows and columns"));
}

}  // namespace
}  // namespace aios
