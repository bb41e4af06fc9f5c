#include "kernels/matmul.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernel_test_support.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

using kernel_test::random_floats;
using kernel_test::runnable_isas;
using kernel_test::same_bits;

enum class Format { kF32F32, kF32Bf16, kF32F16, kBf16Bf16 };

MatmulFunction function_of(const Kernels& kernels, Format format) {
  switch (format) {
    case Format::kF32F32:
      return kernels.matmul_f32_f32;
    case Format::kF32Bf16:
      return kernels.matmul_f32_bf16;
    case Format::kF32F16:
      return kernels.matmul_f32_f16;
    case Format::kBf16Bf16:
      return kernels.matmul_bf16_bf16;
  }
  return nullptr;
}

/// Operands as they are stored, and as the numbers they stand for.
class Operands {
 public:
  Operands(Format format, int64_t rows, int64_t columns, int64_t depth)
      : format_(format),
        rows_(rows),
        columns_(columns),
        depth_(depth),
        x_stride_(padded_depth(depth)),
        x_(random_floats(rows * depth, 1.0F, 1)) {
    const bool x_is_bf16 = format == Format::kBf16Bf16;
    if (x_is_bf16) {
      for (float& value : x_) value = bf16_to_float(float_to_bf16(value));
    }
    weight_floats_ = random_floats(columns * depth, 1.0F, 2);
    for (float& weight : weight_floats_) {
      const uint16_t half =
          format == Format::kF32F16 ? float_to_f16(weight) : float_to_bf16(weight);
      weight_halves_.push_back(half);
      if (format == Format::kF32F16) weight = f16_to_float(half);
      if (format == Format::kF32Bf16 || x_is_bf16) weight = bf16_to_float(half);
    }
    weight_size_ = format == Format::kF32F32 ? 4 : 2;
    weight_data_ =
        weight_size_ == 4 ? static_cast<const void*>(weight_floats_.data()) : weight_halves_.data();
  }

  /// The product of rows [row, row_end) and columns [column, column_end), and nothing beside it.
  [[nodiscard]] std::vector<float> multiply(const Kernels& kernels, int64_t row, int64_t row_end,
                                            int64_t column, int64_t column_end) const {
    constexpr float kUntouched = -12345;
    const int64_t stride = column_end - column + 3;
    const int64_t rows = row_end - row;
    std::vector<float> padded(static_cast<std::size_t>(rows * stride), kUntouched);
    const std::vector<float> floats = float_rows(row, row_end);
    const std::vector<uint16_t> halves = bf16_rows(kernels.bf16_row_group, row, row_end);
    const bool x_is_bf16 = format_ == Format::kBf16Bf16;
    const MatmulFunction matmul = function_of(kernels, format_);
    matmul({.x = x_is_bf16 ? static_cast<const void*>(halves.data()) : floats.data(),
            .x_stride = x_stride_,
            .weights = static_cast<const char*>(weight_data_) + column * depth_ * weight_size_,
            .weight_stride = depth_,
            .out = padded.data(),
            .out_stride = stride,
            .rows = rows,
            .columns = column_end - column,
            .depth = depth_});
    std::vector<float> out;
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t n = 0; n < stride; ++n) {
        const float value = padded[static_cast<std::size_t>(m * stride + n)];
        if (n < stride - 3) {
          out.push_back(value);
        } else {
          EXPECT_EQ(value, kUntouched);
        }
      }
    }
    return out;
  }
  [[nodiscard]] std::vector<float> multiply(const Kernels& kernels) const {
    return multiply(kernels, 0, rows_, 0, columns_);
  }

  /// Every result against its double sum. A sum of n terms in f32 is off by at most n u times the
  /// sum of magnitudes, u = 2^-24, in any order; with bf16 pairs each step rounds up to twice.
  void expect_close(const std::vector<float>& out) const {
    for (int64_t m = 0; m < rows_; ++m) {
      for (int64_t n = 0; n < columns_; ++n) {
        double sum = 0;
        double magnitude = 0;
        for (int64_t k = 0; k < depth_; ++k) {
          const double product = static_cast<double>(x_[static_cast<std::size_t>(m * depth_ + k)]) *
                                 weight_floats_[static_cast<std::size_t>(n * depth_ + k)];
          sum += product;
          magnitude += std::abs(product);
        }
        const double tolerance = 2 * static_cast<double>(depth_) * 0x1p-24 * magnitude;
        ASSERT_NEAR(out[static_cast<std::size_t>(m * columns_ + n)], sum, tolerance)
            << "row " << m << ", column " << n;
      }
    }
  }

 private:
  [[nodiscard]] std::vector<float> float_rows(int64_t row, int64_t row_end) const {
    std::vector<float> rows(static_cast<std::size_t>((row_end - row) * x_stride_));
    for (int64_t m = row; m < row_end; ++m) {
      std::copy_n(x_.begin() + m * depth_, depth_, rows.begin() + (m - row) * x_stride_);
    }
    return rows;
  }
  /// Rows that fill the last group up are NaN: they are nobody's business.
  [[nodiscard]] std::vector<uint16_t> bf16_rows(int64_t row_group, int64_t row,
                                                int64_t row_end) const {
    constexpr uint16_t kNan = 0x7fc0;
    const int64_t num_rows = (row_end - row + row_group - 1) / row_group * row_group;
    std::vector<uint16_t> rows(static_cast<std::size_t>(num_rows * x_stride_), kNan);
    for (int64_t m = 0; m < row_end - row; ++m) {
      for (int64_t k = 0; k < x_stride_; ++k) {
        const float value = k < depth_ ? x_[static_cast<std::size_t>((row + m) * depth_ + k)] : 0;
        rows[static_cast<std::size_t>(bf16_offset(m, k, x_stride_, row_group))] =
            float_to_bf16(value);
      }
    }
    return rows;
  }

  Format format_;
  int64_t rows_, columns_, depth_, x_stride_;
  std::vector<float> x_, weight_floats_;
  std::vector<uint16_t> weight_halves_;
  const void* weight_data_ = nullptr;
  int64_t weight_size_ = 0;
};

using MatmulCase = std::tuple<Isa, Format>;

class Matmul : public testing::TestWithParam<MatmulCase> {
 protected:
  const Kernels& kernels_ = kernel_test::kernels_of(std::get<0>(GetParam()));
  const Format format_ = std::get<1>(GetParam());
};

TEST_P(Matmul, EqualsDoubleReferenceOnOddShapes) {
  constexpr int64_t kShapes[][3] = {{1, 1, 1},     {1, 5, 88},    {3, 33, 7},    {13, 70, 88},
                                    {50, 32, 96},  {2, 17, 1100}, {25, 64, 513}, {7, 3, 2},
                                    {70, 3, 9000}, {16, 47, 64},  {33, 48, 31},  {64, 65, 320},
                                    {3, 130, 300}, {7, 128, 513}, {9, 96, 260}};
  for (const auto& [rows, columns, depth] : kShapes) {
    SCOPED_TRACE(testing::Message() << rows << " x " << columns << " x " << depth);
    const Operands operands(format_, rows, columns, depth);
    operands.expect_close(operands.multiply(kernels_));
  }
}

TEST_P(Matmul, ARowIsTheSameBitsWhateverTheOtherRows) {
  constexpr int64_t kRows = 53, kColumns = 37, kDepth = 601;
  const Operands operands(format_, kRows, kColumns, kDepth);
  const std::vector<float> all = operands.multiply(kernels_);
  for (const int64_t rows : {1, 2, 5, 12, 13, 16, 17, 48}) {
    for (int64_t row = 0; row + rows <= kRows; row += rows) {
      const std::vector<float> some = operands.multiply(kernels_, row, row + rows, 0, kColumns);
      ASSERT_TRUE(same_bits(some.data(), all.data() + row * kColumns, rows * kColumns))
          << rows << " rows from " << row;
    }
  }
}

/// Up to seven rows have a way of their own, for depths that are whole quads of words.
TEST_P(Matmul, FewRowsAreTheSameBitsAsMany) {
  constexpr int64_t kRows = 9, kColumns = 150;
  for (const int64_t depth : {8, 300, 320}) {
    const Operands operands(format_, kRows, kColumns, depth);
    const std::vector<float> all = operands.multiply(kernels_);
    for (int64_t rows = 1; rows < kRows; ++rows) {
      const std::vector<float> some = operands.multiply(kernels_, 0, rows, 0, kColumns);
      EXPECT_TRUE(same_bits(some.data(), all.data(), rows * kColumns)) << rows << ", " << depth;
    }
  }
}

/// Many rows go along the columns where those are fewer than the words of the depth.
TEST_P(Matmul, DepthOrColumnsFirstAreTheSameBits) {
  constexpr int64_t kRows = 40, kColumns = 150, kDepth = 7000;
  const Operands operands(format_, kRows, kColumns, kDepth);
  const std::vector<float> all = operands.multiply(kernels_);
  const std::vector<float> some = operands.multiply(kernels_, 0, 8, 0, kColumns);
  EXPECT_TRUE(same_bits(some.data(), all.data(), 8 * kColumns));
}

TEST_P(Matmul, AColumnIsTheSameBitsWhateverTheTile) {
  constexpr int64_t kRows = 3, kColumns = 70;
  for (const int64_t depth : {90, 96}) {
    const Operands operands(format_, kRows, kColumns, depth);
    const std::vector<float> all = operands.multiply(kernels_);
    for (const int64_t columns : {1, 5, 16, 33}) {
      for (int64_t column = 0; column + columns <= kColumns; column += columns) {
        const std::vector<float> some =
            operands.multiply(kernels_, 0, kRows, column, column + columns);
        for (int64_t m = 0; m < kRows; ++m) {
          ASSERT_TRUE(
              same_bits(some.data() + m * columns, all.data() + m * kColumns + column, columns))
              << columns << " columns from " << column << ", depth " << depth;
        }
      }
    }
  }
}

std::vector<MatmulCase> matmul_cases() {
  std::vector<MatmulCase> cases;
  for (const Isa isa : runnable_isas()) {
    for (const Format format :
         {Format::kF32F32, Format::kF32Bf16, Format::kF32F16, Format::kBf16Bf16}) {
      if (function_of(kernel_test::kernels_of(isa), format) != nullptr)
        cases.emplace_back(isa, format);
    }
  }
  return cases;
}

std::string matmul_case_name(const testing::TestParamInfo<MatmulCase>& info) {
  constexpr const char* kNames[] = {"f32_f32", "f32_bf16", "f32_f16", "bf16_bf16"};
  return std::string(isa_name(std::get<0>(info.param))) + "_" +
         kNames[static_cast<std::size_t>(std::get<1>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(Cases, Matmul, testing::ValuesIn(matmul_cases()), matmul_case_name);

TEST(MatmulVariants, AgreeBitForBitInF32) {
  for (const Format format : {Format::kF32F32, Format::kF32Bf16}) {
    const Operands operands(format, 14, 80, 300);
    std::vector<float> expected;
    for (const Isa isa : runnable_isas()) {
      if (isa == Isa::kScalar) continue;  // has no fma
      const std::vector<float> out = operands.multiply(kernel_test::kernels_of(isa));
      if (expected.empty()) expected = out;
      EXPECT_EQ(out, expected) << isa_name(isa);
    }
  }
}

/// Weights of a file may lie at any even address: pairs are read as words only where they are.
TEST(MatmulVariants, TakeBf16WeightsAtAnyEvenAddress) {
  constexpr int64_t kColumns = 70, kDepth = 64;
  const std::vector<float> values = random_floats(kColumns * kDepth);
  std::vector<uint16_t> weights(values.size() + 2);
  const std::vector<float> x = random_floats(kDepth, 1.0F, 3);
  for (const Isa isa : runnable_isas()) {
    std::vector<float> results[2];
    for (std::size_t shift = 0; shift < 2; ++shift) {
      std::transform(values.begin(), values.end(), weights.begin() + static_cast<int64_t>(shift),
                     float_to_bf16);
      results[shift].resize(kColumns);
      kernel_test::kernels_of(isa).matmul_f32_bf16({.x = x.data(),
                                                    .x_stride = kDepth,
                                                    .weights = weights.data() + shift,
                                                    .weight_stride = kDepth,
                                                    .out = results[shift].data(),
                                                    .out_stride = kColumns,
                                                    .rows = 1,
                                                    .columns = kColumns,
                                                    .depth = kDepth});
    }
    EXPECT_EQ(results[0], results[1]) << isa_name(isa);
  }
}

}  // namespace
}  // namespace aios
