#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/aligned_buffer.h"
#include "kernels/kernel_test_support.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

using kernel_test::random_floats;
using kernel_test::same_bits;

std::size_t index(int64_t value) { return static_cast<std::size_t>(value); }

/// A quantised matrix of random bytes: every byte but the scales is some valid content. In every
/// other panel, and in every other unit of the rest, all points stay within the grid, as a
/// quantiser's do; elsewhere some go beyond and are reduced.
struct RandomWeights {
  /// @param codes_byte in place of all codes, if any
  RandomWeights(QuantizedFormat format, int64_t rows, int64_t depth, uint32_t seed,
                std::optional<uint8_t> codes_byte = std::nullopt) {
    const int64_t panels = QuantizedFormat::num_panels(rows);
    std::mt19937 engine(seed);
    const auto fill = [&](std::vector<uint8_t>& bytes, int64_t size) {
      bytes.resize(index(size));
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine());
    };
    std::vector<uint8_t> unaligned;
    fill(unaligned, panels * format.panel_code_bytes(depth));
    codes = AlignedBuffer<uint8_t>(unaligned.size());
    std::copy(unaligned.begin(), unaligned.end(), codes.data());
    if (codes_byte) std::fill_n(codes.data(), unaligned.size(), *codes_byte);
    fill(blocks, panels * format.panel_block_bytes(depth));
    for (int64_t panel = 0; panel < panels && format.block_size() > 0; ++panel) {
      stay_within_grid(format, depth, panel % 2 == 1,
                       &blocks[index(panel * format.panel_block_bytes(depth))]);
    }
    scales.resize(index(panels * format.panel_scales(depth)));
    for (uint16_t& scale : scales) {
      scale = float_to_f16(std::exp(static_cast<float>(engine() % 1000) / 200.0F - 8.0F));
    }
    matrix = {.format = format,
              .rows = rows,
              .depth = depth,
              .codes = codes.data(),
              .blocks = blocks.data(),
              .scales = scales.data()};
  }
  /// @param blocks of a panel
  static void stay_within_grid(const QuantizedFormat& format, int64_t depth, bool whole_panel,
                               uint8_t* blocks) {
    const int64_t size = format.panel_block_bytes(depth);
    const std::vector<uint8_t> before(blocks, blocks + size);
    std::fill_n(blocks, size, uint8_t{0});
    for (int64_t block = 0; block < QuantizedFormat::padded(depth) / format.block_size(); ++block) {
      const int64_t unit = block * format.block_size() / kDepthUnit;
      const bool is_bounded = whole_panel || unit % 2 == 1;
      for (int64_t row = 0; row < kPanelRows; ++row) {
        BlockGrid grid = load_block_grid(format.type, before.data(), row, block);
        const int64_t largest = format.point(0, grid.step, format.max_code());
        const int64_t most = (255 - largest) / format.point(1, 0, 0);
        if (is_bounded) grid.start = std::min(grid.start, most);
        store_block_grid(format.type, grid, blocks, row, block);
      }
    }
  }

  AlignedBuffer<uint8_t> codes;
  std::vector<uint8_t> blocks;
  std::vector<uint16_t> scales;
  QuantizedMatrix matrix;
};

struct Activations {
  Activations(const Kernels& kernels, const std::vector<float>& x, int64_t rows, int64_t depth)
      : layout(kernels.quantized_layout),
        num_rows(rows),
        codes(index(layout.bytes(rows, depth)), 99),
        scales(index(num_row_scales(depth) * rows)),
        starts(index(num_row_starts(depth) * rows)) {
    for (int64_t m = 0; m < rows; m += layout.block_rows) {
      const QuantizedRow first = row(m, depth);
      kernels.quantize_rows(x.data() + m * depth, depth, std::min(layout.block_rows, rows - m),
                            depth,
                            {.layout = layout,
                             .codes = first.codes,
                             .scales = first.scales,
                             .starts = first.starts,
                             .stride = rows});
    }
  }
  QuantizedRow row(int64_t m, int64_t depth) {
    return {.layout = layout,
            .codes = &codes[index(layout.row_offset(m, depth))],
            .scales = &scales[index(m)],
            .starts = &starts[index(m)],
            .stride = num_rows};
  }
  QuantizedLayout layout;
  int64_t num_rows;
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<int32_t> starts;
};

class QuantizedMatmulTest : public kernel_test::ForEachIsa {
 protected:
  void expect_reference(QuantizedFormat format, int64_t rows, int64_t columns, int64_t depth,
                        const std::vector<float>& x, uint32_t seed = 1,
                        std::optional<uint8_t> codes_byte = std::nullopt) {
    const RandomWeights weights(format, columns, depth, seed, codes_byte);
    const Activations activations(kernels_, x, rows, depth);
    const int64_t out_stride = columns + 3;
    std::vector<float> out(index(rows * out_stride), 7.0F);
    std::vector<float> expected = out;
    QuantizedMatmulArguments arguments = {.layout = activations.layout,
                                          .x = activations.codes.data(),
                                          .x_scales = activations.scales.data(),
                                          .x_starts = activations.starts.data(),
                                          .x_stride = activations.num_rows,
                                          .weights = &weights.matrix,
                                          .column = 0,
                                          .columns = columns,
                                          .out = out.data(),
                                          .out_stride = out_stride,
                                          .rows = rows};
    const std::vector<float> bias = random_floats(columns);
    for (const bool ends : {false, true}) {  // with a bias, and added to the product without
      arguments.bias = ends ? bias.data() : nullptr;
      arguments.adds = ends;
      arguments.out = out.data();
      kernels_.quantized_matmul(arguments);
      arguments.out = expected.data();
      quantized_matmul_reference(arguments);
      EXPECT_TRUE(same_bits(out.data(), expected.data(), std::ssize(out)))
          << quant_type_name(format.type) << " group " << format.group_size << ": " << rows << " x "
          << columns << " x " << depth << (ends ? ", added" : "");
    }
  }
};

TEST_P(QuantizedMatmulTest, EqualsTheReferenceBitForBit) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    for (const int32_t group_size : {0, 32, 128}) {
      for (const int64_t depth : {1, 31, 88, 96, 384, 896, 1100}) {
        for (const int64_t rows : {1, 2, 3, 7, 33}) {
          if (depth > 400 && rows > 7) continue;  // the reference is slow under an emulator
          const int64_t columns = depth == 896 ? 70 : 33;
          expect_reference({type, group_size}, rows, columns, depth, random_floats(rows * depth));
        }
      }
    }
  }
}

TEST_P(QuantizedMatmulTest, EveryNumberOfRowsAndPanelsIsComputedAlike) {
  for (int64_t rows = 1; rows <= 33; ++rows) {
    expect_reference({QuantType::kInt4, 128}, rows, 32 + rows, 160, random_floats(rows * 160));
  }
  expect_reference({QuantType::kInt2, 128}, 300, 40, 64, random_floats(300 * 64));
}

/// A single row is multiplied by panels from two places in turn.
TEST_P(QuantizedMatmulTest, ASingleRowMeetsAnyNumberOfPanels) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    for (const int32_t group_size : {0, 128}) {
      for (int64_t columns = 25; columns < 192; columns += kPanelRows) {
        expect_reference({type, group_size}, 1, columns, 352, random_floats(352));
      }
    }
  }
}

/// Many columns, groups that end within a tile; more rows than any variant takes at once.
TEST_P(QuantizedMatmulTest, LargeProductsAreComputedAlike) {
  constexpr int64_t kShapes[][3] = {{133, 290, 160}, {517, 70, 64}};
  for (const auto& [rows, columns, depth] : kShapes) {
    const std::vector<float> x = random_floats(rows * depth);
    expect_reference({QuantType::kInt8, 0}, rows, columns, depth, x);
    expect_reference({QuantType::kInt4, 128}, rows, columns, depth, x);
    expect_reference({QuantType::kInt2, 64}, rows, columns, depth, x);
  }
}

/// Whole tiles and rests of them, with panels that meet no other.
TEST_P(QuantizedMatmulTest, APanelThatIsLeftOverIsComputedAlike) {
  for (const int32_t group_size : {0, 64}) {
    for (const int64_t rows : {8, 13, 70}) {
      for (const int64_t columns : {32, 96}) {
        const int64_t depth = rows == 13 ? 1100 : 128;
        expect_reference({QuantType::kInt8, group_size}, rows, columns, depth,
                         random_floats(rows * depth));
      }
    }
  }
}

/// Depth beyond what is decoded at a time.
TEST_P(QuantizedMatmulTest, DeepProductsAreComputedAlike) {
  constexpr int64_t kRows = 70, kColumns = 33, kDepth = 2240;
  const std::vector<float> x = random_floats(kRows * kDepth);
  expect_reference({QuantType::kInt8, 0}, kRows, kColumns, kDepth, x);
  expect_reference({QuantType::kInt4, 128}, kRows, kColumns, kDepth, x);
}

/// All activations at the ends of their range, under all bytes that weights can have: the largest
/// sums that there are.
TEST_P(QuantizedMatmulTest, DoesNotSaturate) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    for (const float sign : {1.0F, -1.0F}) {
      std::vector<float> x(index(4 * 4864), sign);
      for (std::size_t i = 4864; i < 2 * 4864; ++i) x[i] = i % 2 == 0 ? 1.0F : -1.0F;
      expect_reference({type, 0}, 4, 32, 4864, x);
      expect_reference({type, 0}, 1, 32, 4864, x);
    }
  }
}

/// Points of one kind only: the least, those beside the grid's zero, the greatest.
TEST_P(QuantizedMatmulTest, PointsAtTheEndsDoNotSaturate) {
  constexpr int64_t kRows = 9, kDepth = 160;
  std::vector<float> x(index(kRows * kDepth), 1.0F);
  std::fill_n(x.begin() + kDepth, kDepth, -1.0F);
  for (const uint8_t code : std::array<uint8_t, 5>{0, 1, 127, 128, 255}) {
    for (const int32_t group_size : {0, 32}) {
      expect_reference({QuantType::kInt8, group_size}, kRows, 64, kDepth, x, 1, code);
      expect_reference({QuantType::kInt8, group_size}, 1, 64, kDepth, x, 1, code);
    }
  }
}

TEST_P(QuantizedMatmulTest, StartsAtAnyPanel) {
  const RandomWeights weights({QuantType::kInt2, 128}, 96, 224, 3);
  const Activations activations(kernels_, random_floats(5 * 224), 5, 224);
  std::vector<float> whole(5 * 96), part(5 * 50);
  QuantizedMatmulArguments arguments = {.layout = activations.layout,
                                        .x = activations.codes.data(),
                                        .x_scales = activations.scales.data(),
                                        .x_starts = activations.starts.data(),
                                        .x_stride = activations.num_rows,
                                        .weights = &weights.matrix,
                                        .column = 0,
                                        .columns = 96,
                                        .out = whole.data(),
                                        .out_stride = 96,
                                        .rows = 5};
  kernels_.quantized_matmul(arguments);
  arguments.column = 32;
  arguments.columns = 50;
  arguments.out = part.data();
  arguments.out_stride = 50;
  kernels_.quantized_matmul(arguments);
  for (int64_t m = 0; m < 5; ++m) {
    EXPECT_TRUE(same_bits(&whole[index(m * 96 + 32)], &part[index(m * 50)], 50)) << m;
  }
}

TEST_P(QuantizedMatmulTest, RowsAreRoundedAsTheReferenceRoundsThem) {
  constexpr int64_t kRows = 22;  // whole blocks and a part of one
  for (const int64_t depth : {1, 15, 32, 88, 128, 384, 1000}) {
    std::vector<float> x = random_floats(kRows * depth, 3.0F);
    std::fill_n(x.begin() + depth, depth, 0.0F);
    std::fill_n(x.begin() + 2 * depth, depth, 1e-35F);
    x[index(3 * depth + depth / 2)] = std::numeric_limits<float>::infinity();
    x[index(4 * depth)] = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(x.begin() + 5 * depth, depth, -1e38F);
    std::fill_n(x.begin() + 9 * depth, depth, 0.0F);  // in a block that is finite
    for (int64_t k = 0; k < depth; ++k) x[index(10 * depth + k)] = k % 2 == 0 ? 2.5F : -254.0F;
    const Activations actual(kernels_, x, kRows, depth);
    Kernels reference = kernels_for(Isa::kScalar);
    reference.quantized_layout = kernels_.quantized_layout;
    const Activations expected(reference, x, kRows, depth);
    EXPECT_EQ(actual.codes, expected.codes) << depth;
    EXPECT_EQ(actual.starts, expected.starts) << depth;
    for (int64_t i = 0; i < std::ssize(actual.scales); ++i) {
      const bool poisoned = i == depth / 2 / kMaxGroup * kRows + 3 || i == 4;
      EXPECT_EQ(std::isnan(actual.scales[index(i)]), poisoned) << depth << ' ' << i;
      if (!poisoned) {
        EXPECT_EQ(actual.scales[index(i)], expected.scales[index(i)]) << depth << ' ' << i;
      }
    }
  }
}

TEST(QuantizedMatmulReference, IsTheProductOfDequantizedRows) {
  for (const QuantType type : {QuantType::kInt8, QuantType::kInt4, QuantType::kInt2}) {
    const int64_t depth = 200;
    const RandomWeights weights({type, 64}, 5, depth, 9);
    const Kernels& kernels = kernels_for(Isa::kScalar);
    Activations x(kernels, random_floats(depth), 1, depth);
    const QuantizedRow codes = x.row(0, depth);
    std::vector<float> out(5), row(index(depth));
    kernels.quantized_matmul({.layout = x.layout,
                              .x = x.codes.data(),
                              .x_scales = x.scales.data(),
                              .x_starts = x.starts.data(),
                              .x_stride = x.num_rows,
                              .weights = &weights.matrix,
                              .columns = 5,
                              .out = out.data(),
                              .out_stride = 5,
                              .rows = 1});
    for (int64_t n = 0; n < 5; ++n) {
      dequantize_row(weights.matrix, n, row.data());
      double sum = 0, magnitude = 0;
      for (int64_t k = 0; k < depth; ++k) {
        const double product = static_cast<double>(row[index(k)]) * codes.code(k) * codes.scale(k);
        sum += product;
        magnitude += std::abs(product);
      }
      // Four groups: products with two scales and sums, each rounded once.
      const double bound = 8 * magnitude * std::numeric_limits<float>::epsilon() / 2;
      EXPECT_NEAR(out[index(n)], sum, bound);
    }
  }
}

AIOS_INSTANTIATE_FOR_EACH_ISA(QuantizedMatmulTest);

}  // namespace
}  // namespace aios
