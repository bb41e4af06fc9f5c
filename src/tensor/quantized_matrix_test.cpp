#include "tensor/quantized_matrix.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace aios {
namespace {

TEST(QuantizedFormat, CountsBytesWithTails) {
  const QuantizedFormat int8{QuantType::kInt8, 0};
  EXPECT_EQ(int8.panel_code_bytes(88), 96 * 32);
  EXPECT_EQ(int8.panel_block_bytes(88), 0);
  EXPECT_EQ(int8.panel_scales(88), 32);
  const QuantizedFormat int4{QuantType::kInt4, 128};
  EXPECT_EQ(int4.panel_code_bytes(896), 896 * 16);
  EXPECT_EQ(int4.panel_block_bytes(88), 2 * 3 * 32);  // three blocks: two pairs
  EXPECT_EQ(int4.panel_scales(384), 3 * 32);
  EXPECT_EQ(int4.panel_scales(385), 4 * 32);
  const QuantizedFormat int2{QuantType::kInt2, 128};
  EXPECT_EQ(int2.panel_code_bytes(128), 1024);
  EXPECT_EQ(int2.panel_block_bytes(128), 256);
  EXPECT_EQ(QuantizedFormat::num_panels(33), 2);
}

TEST(QuantizedFormat, KnowsItsGroupSizes) {
  for (const int32_t size : {0, 32, 64, 128}) {
    EXPECT_TRUE((QuantizedFormat{QuantType::kInt4, size}.has_valid_group_size())) << size;
  }
  for (const int32_t size : {-32, 1, 16, 48, 96, 256}) {
    EXPECT_FALSE((QuantizedFormat{QuantType::kInt4, size}.has_valid_group_size())) << size;
  }
}

TEST(QuantizedFormat, NamesAreRead) {
  for (const QuantType type :
       {QuantType::kNone, QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    EXPECT_EQ(quant_type_from_name(quant_type_name(type)), type);
  }
  EXPECT_EQ(quant_type_from_name("q4_k"), std::nullopt);
}

TEST(QuantizedMatrix, EveryCodeHasAPlaceOfItsOwn) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    const QuantizedFormat format{type, 0};
    std::set<std::pair<int64_t, int>> places;
    for (int64_t row = 0; row < kPanelRows; ++row) {
      for (int64_t k = 0; k < 96; ++k) {
        const CodePlace place = code_place(type, row, k);
        EXPECT_LT(place.byte, format.panel_code_bytes(96));
        EXPECT_EQ(place.shift % format.bits(), 0);
        EXPECT_TRUE(places.emplace(place.byte, place.shift).second) << row << ' ' << k;
      }
    }
  }
}

TEST(QuantizedMatrix, BlocksComeBackAsTheyWereStored) {
  for (const QuantType type : {QuantType::kInt4, QuantType::kInt2}) {
    const QuantizedFormat format{type, 0};
    std::vector<uint8_t> bytes(static_cast<std::size_t>(format.panel_block_bytes(96)));
    const int64_t num_blocks = 96 / format.block_size();
    const auto grid = [&](int64_t row, int64_t block) {
      return BlockGrid{(row * 7 + block * 13) % (format.max_start() + 1),
                       (row * 5 + block * 3) % (format.max_step() + 1)};
    };
    for (int64_t row = 0; row < kPanelRows; ++row) {
      for (int64_t block = 0; block < num_blocks; ++block) {
        store_block_grid(type, grid(row, block), bytes.data(), row, block);
      }
    }
    for (int64_t row = 0; row < kPanelRows; ++row) {
      for (int64_t block = 0; block < num_blocks; ++block) {
        const BlockGrid loaded = load_block_grid(type, bytes.data(), row, block);
        EXPECT_EQ(loaded.start, grid(row, block).start);
        EXPECT_EQ(loaded.step, grid(row, block).step);
      }
    }
  }
}

}  // namespace
}  // namespace aios
