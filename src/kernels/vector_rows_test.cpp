#include "kernels/vector_rows.h"

#include <cmath>

#include "kernels/kernel_test_support.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

using kernel_test::random_floats;

constexpr int64_t kRows = 7;

class VectorRowsTest : public kernel_test::ForEachIsa {};
AIOS_INSTANTIATE_FOR_EACH_ISA(VectorRowsTest);

/// Compares with a sum in double. Each product is rounded once, and each of at most `dimension`
/// sums once more: |error| <= dimension * 2^-24 * sum |x y| (Higham, Accuracy and Stability,
/// section 3.1).
template <typename Stored, typename Narrow, typename Widen>
void expect_dots(DotRowsFunction dots, Narrow narrow, Widen widen) {
  for (const int64_t dimension : {1, 3, 15, 16, 17, 63, 64, 100, 384, 385, 768}) {
    const std::vector<float> query = random_floats(dimension, 1, 1);
    std::vector<Stored> rows;
    for (const float value : random_floats(kRows * dimension, 1, 2)) rows.push_back(narrow(value));
    std::vector<float> out(kRows);
    dots(query.data(), rows.data(), kRows, dimension, out.data());
    for (int64_t i = 0; i < kRows; ++i) {
      double sum = 0;
      double magnitude = 0;
      for (int64_t k = 0; k < dimension; ++k) {
        const double product = static_cast<double>(query[static_cast<std::size_t>(k)]) *
                               widen(rows[static_cast<std::size_t>(i * dimension + k)]);
        sum += product;
        magnitude += std::abs(product);
      }
      const double bound = static_cast<double>(dimension) * std::ldexp(magnitude, -24);
      EXPECT_NEAR(out[static_cast<std::size_t>(i)], sum, bound) << dimension;
    }
  }
}

TEST_P(VectorRowsTest, F32DotsAreWithinTheBoundOfRounding) {
  const auto same = [](float value) { return value; };
  expect_dots<float>(kernels_.dot_rows_f32, same, same);
}

TEST_P(VectorRowsTest, Bf16DotsAreWithinTheBoundOfRounding) {
  expect_dots<uint16_t>(kernels_.dot_rows_bf16, float_to_bf16, bf16_to_float);
}

TEST_P(VectorRowsTest, F16DotsAreWithinTheBoundOfRounding) {
  expect_dots<uint16_t>(kernels_.dot_rows_f16, float_to_f16, f16_to_float);
}

TEST_P(VectorRowsTest, ByteDotsAreExactAtTheExtremes) {
  for (const int64_t dimension : {1, 7, 8, 63, 64, 65, 384, 65536}) {
    for (const int8_t value : {int8_t{-128}, int8_t{127}, int8_t{-1}}) {
      const std::vector<int8_t> query(static_cast<std::size_t>(dimension), value);
      const std::vector<uint8_t> rows(static_cast<std::size_t>(2 * dimension), 255);
      std::vector<int32_t> out(2);
      kernels_.dot_rows_u8(query.data(), rows.data(), 2, dimension, out.data());
      EXPECT_EQ(out[0], 255 * value * dimension);
      EXPECT_EQ(out[1], out[0]);
    }
  }
}

TEST_P(VectorRowsTest, ByteDotsEqualTheReference) {
  std::mt19937_64 engine(3);
  for (const int64_t dimension : {1, 9, 64, 100, 384, 1000}) {
    std::vector<int8_t> query(static_cast<std::size_t>(dimension));
    std::vector<uint8_t> rows(static_cast<std::size_t>(kRows * dimension));
    for (int8_t& value : query) value = static_cast<int8_t>(engine());
    for (uint8_t& value : rows) value = static_cast<uint8_t>(engine());
    std::vector<int32_t> out(kRows);
    std::vector<int32_t> expected(kRows);
    kernels_.dot_rows_u8(query.data(), rows.data(), kRows, dimension, out.data());
    dot_rows_u8_reference(query.data(), rows.data(), kRows, dimension, expected.data());
    EXPECT_EQ(out, expected) << dimension;
  }
}

TEST_P(VectorRowsTest, DotsOfListedRowsEqualTheReference) {
  std::mt19937_64 engine(4);
  constexpr uint64_t kListed = 50;
  for (const int64_t stride : {64, 384, 832}) {
    std::vector<int8_t> query(static_cast<std::size_t>(stride));
    std::vector<uint8_t> rows(kListed * static_cast<std::size_t>(stride));
    for (int8_t& value : query) value = static_cast<int8_t>(engine());
    for (uint8_t& value : rows) value = static_cast<uint8_t>(engine());
    for (const std::size_t count : {0U, 1U, 3U, 4U, 5U, 8U, 33U}) {
      std::vector<uint32_t> ids(count);
      for (uint32_t& id : ids) id = static_cast<uint32_t>(engine() % kListed);
      std::vector<int32_t> out(count);
      std::vector<int32_t> expected(count);
      kernels_.dot_listed_rows_u8(query.data(), rows.data(), stride, ids.data(), std::ssize(ids),
                                  out.data());
      dot_listed_rows_u8_reference(query.data(), rows.data(), stride, ids.data(), std::ssize(ids),
                                   expected.data());
      EXPECT_EQ(out, expected) << stride << ' ' << count;
    }
  }
}

TEST_P(VectorRowsTest, ProductsOfManyByteQueriesEqualTheReference) {
  std::mt19937_64 engine(8);
  for (const int64_t dimension : {1, 16, 64, 99, 384, 784, 2500}) {
    for (const int64_t num_rows : {1, 31, 32, 70}) {
      for (const int64_t num_queries : {1, 15, 16, 17, 40}) {
        ByteMatrixArguments a;
        a.num_queries = num_queries;
        a.stride = (dimension + kListedRowUnit - 1) / kListedRowUnit * kListedRowUnit;
        a.num_rows = num_rows;
        a.dimension = dimension;
        a.out_stride = num_rows + 3;
        const int64_t room = (num_queries + kByteQueryUnit - 1) / kByteQueryUnit * kByteQueryUnit;
        std::vector<int8_t> queries(static_cast<std::size_t>(room * a.stride));
        for (int64_t q = 0; q < num_queries; ++q) {
          for (int64_t k = 0; k < dimension; ++k) {
            queries[static_cast<std::size_t>(q * a.stride + k)] = static_cast<int8_t>(engine());
          }
        }
        std::vector<uint8_t> rows(static_cast<std::size_t>(num_rows * dimension + kListedRowUnit));
        for (uint8_t& value : rows) value = static_cast<uint8_t>(engine());
        a.queries = queries.data();
        a.rows = rows.data();
        std::vector<int32_t> out(static_cast<std::size_t>(room * a.out_stride));
        std::vector<int32_t> expected = out;
        a.out = out.data();
        kernels_.dot_byte_matrix(a);
        a.out = expected.data();
        dot_byte_matrix_reference(a);
        for (int64_t q = 0; q < num_queries; ++q) {
          const auto first = static_cast<std::ptrdiff_t>(q * a.out_stride);
          EXPECT_TRUE(std::equal(out.begin() + first, out.begin() + first + num_rows,
                                 expected.begin() + first))
              << dimension << ' ' << num_rows << ' ' << num_queries;
        }
      }
    }
  }
}

TEST_P(VectorRowsTest, ScaledProductsEqualTheReference) {
  const std::vector<int32_t> products = {0, 5, -7, 1 << 20, -(1 << 24), 12345, 3,  4, 5,
                                         6, 7, 8,  9,       10,         11,    12, 13};
  const std::vector<float> factors = random_floats(std::ssize(products), 1, 9);
  std::vector<float> out(products.size());
  std::vector<float> expected(products.size());
  kernels_.scale_products(products.data(), 77, 0.25F, factors.data(), std::ssize(products),
                          out.data());
  scale_products_reference(products.data(), 77, 0.25F, factors.data(), std::ssize(products),
                           expected.data());
  EXPECT_EQ(out, expected);
}

TEST_P(VectorRowsTest, SumsOfCodesEqualTheReference) {
  std::mt19937_64 engine(7);
  constexpr int64_t kPanels = 3;
  for (const int64_t num_bytes : {1, 2, 13, 48, 258}) {
    for (const uint64_t greatest : {40U, 127U}) {  // 258 * 2 * 127 = 65532
      std::vector<uint8_t> table(static_cast<std::size_t>(32 * num_bytes));
      for (uint8_t& entry : table) {
        entry = static_cast<uint8_t>(greatest == 127 ? 127 : engine() % (greatest + 1));
      }
      std::vector<uint8_t> codes(static_cast<std::size_t>(kPanels * num_bytes * kCodePanelRows));
      for (uint8_t& code : codes) code = static_cast<uint8_t>(engine());
      std::vector<uint16_t> sums(kPanels * kCodePanelRows);
      std::vector<uint16_t> expected(sums.size());
      kernels_.sum_codes(table.data(), codes.data(), kPanels, num_bytes, sums.data());
      sum_codes_reference(table.data(), codes.data(), kPanels, num_bytes, expected.data());
      EXPECT_EQ(sums, expected) << num_bytes;
    }
  }
}

TEST_P(VectorRowsTest, SelectionEqualsTheReference) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const int64_t count : {1, 15, 16, 17, 100, 256}) {
    const auto size = static_cast<std::size_t>(count);
    std::vector<float> values = random_floats(count, 1, 4);
    values[size / 2] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> factors = random_floats(count, 1, 5);
    const std::vector<float> offsets = random_floats(count, 1, 6);
    for (const float threshold : {-kInfinity, 0.25F, kInfinity}) {
      for (int kind = 0; kind < 4; ++kind) {
        const float* const factor = (kind & 1) != 0 ? factors.data() : nullptr;
        const float* const offset = (kind & 2) != 0 ? offsets.data() : nullptr;
        std::vector<float> scores = values;
        std::vector<float> expected_scores = values;
        std::vector<int32_t> selected(size);
        std::vector<int32_t> expected(size);
        selected.resize(static_cast<std::size_t>(kernels_.select_scores(
            scores.data(), factor, offset, count, threshold, selected.data())));
        expected.resize(static_cast<std::size_t>(select_scores_reference(
            expected_scores.data(), factor, offset, count, threshold, expected.data())));
        EXPECT_EQ(selected, expected) << count;
        for (std::size_t i = 0; i < size; ++i) {
          if (i == size / 2) continue;  // not a number
          EXPECT_EQ(scores[i], expected_scores[i]) << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace aios
