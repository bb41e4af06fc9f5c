#include "kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "kernels/kernel_test_support.h"
#include "tensor/dtype.h"

namespace aios {
namespace {

using kernel_test::random_floats;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Elementwise : public kernel_test::ForEachIsa {
 protected:
  using Function = void (*)(float*, int64_t) noexcept;

  /// |f(x) - exact(x)| <= relative |exact(x)| + absolute, over a dense sweep and its negative.
  static void expect_close(Function f, const std::function<double(double)>& exact, double relative,
                           double absolute) {
    std::vector<float> inputs = {0.0F, -0.0F, 1e-30F, -1e-30F};
    for (float x = 1e-6F; x < 120; x = x * 1.0007F + 1e-5F) {
      inputs.push_back(x);
      inputs.push_back(-x);
    }
    std::vector<float> outputs = inputs;
    f(outputs.data(), static_cast<int64_t>(outputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const double expected = exact(static_cast<double>(inputs[i]));
      ASSERT_NEAR(outputs[i], expected, relative * std::abs(expected) + absolute)
          << "at " << inputs[i];
    }
  }
};

// Tolerances: an exponential is good to 1.5 ulp, about 1.8e-7; sums, products and quotients of it
// add an ulp of 1.2e-7 each. Absolute parts cover what is flushed to 0 or cancels, times |x|.
TEST_P(Elementwise, SiluIsAccurate) {
  expect_close(
      kernels_.silu, [](double x) { return x / (1 + std::exp(-x)); }, 6e-7, 2e-36);
}
TEST_P(Elementwise, GeluIsAccurate) {
  expect_close(
      kernels_.gelu, [](double x) { return x * std::erfc(-x / std::numbers::sqrt2) / 2; }, 4e-7,
      2e-7);
}
TEST_P(Elementwise, GeluTanhIsAccurate) {
  const double factor = std::sqrt(2 / std::numbers::pi);
  expect_close(
      kernels_.gelu_tanh,
      [factor](double x) { return x / (1 + std::exp(-2 * factor * (x + 0.044715 * x * x * x))); },
      4e-7, 1e-6);
}
TEST_P(Elementwise, TanhIsAccurate) {
  expect_close(
      kernels_.tanh, [](double x) { return std::tanh(x); }, 4e-7, 0);
}
TEST_P(Elementwise, ReluIsExact) {
  expect_close(
      kernels_.relu, [](double x) { return x < 0 ? 0 : x; }, 0, 0);
}

TEST_P(Elementwise, ActivationsKeepNaNAndLimits) {
  for (const Function f :
       {kernels_.silu, kernels_.gelu, kernels_.gelu_tanh, kernels_.relu, kernels_.tanh}) {
    float values[] = {std::numeric_limits<float>::quiet_NaN(), 200.0F, 1.0F};
    f(values, 3);
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_EQ(values[1], f == kernels_.tanh ? 1.0F : 200.0F);
  }
}

TEST_P(Elementwise, AValueDoesNotDependOnItsPlace) {
  constexpr int64_t kSize = 70;
  const std::vector<float> x = random_floats(kSize, 4.0F);
  for (const Function f :
       {kernels_.silu, kernels_.gelu, kernels_.gelu_tanh, kernels_.relu, kernels_.tanh}) {
    std::vector<float> all = x;
    f(all.data(), kSize);
    for (int64_t begin = 0; begin < kSize; begin += 7) {
      std::vector<float> some(x.begin() + begin, x.begin() + begin + 7);
      f(some.data(), 7);
      ASSERT_TRUE(kernel_test::same_bits(some.data(), all.data() + begin, 7));
    }
  }
}

TEST_P(Elementwise, ArithmeticTouchesExactlyTheRow) {
  for (const int64_t size : {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 64, 67}) {
    const std::vector<float> x = random_floats(size + 1, 1.0F, 1);
    const std::vector<float> y = random_floats(size + 1, 1.0F, 2);
    std::vector<float> sum = y, product = y, scaled = y, combined = y;
    kernels_.add(x.data(), sum.data(), size);
    kernels_.multiply(x.data(), product.data(), size);
    kernels_.scale(0.75F, scaled.data(), size);
    kernels_.scale_add(0.75F, x.data(), combined.data(), size);
    double dot = 0;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(size); ++i) {
      const bool inside = i < static_cast<std::size_t>(size);
      EXPECT_EQ(sum[i], inside ? y[i] + x[i] : y[i]);
      EXPECT_EQ(product[i], inside ? y[i] * x[i] : y[i]);
      EXPECT_EQ(scaled[i], inside ? y[i] * 0.75F : y[i]);
      EXPECT_NEAR(combined[i], inside ? y[i] + 0.75F * x[i] : y[i], 5e-7);
      if (inside) dot += static_cast<double>(x[i]) * y[i];
    }
    EXPECT_NEAR(kernels_.dot(x.data(), y.data(), size), dot, 1e-5);
  }
}

TEST_P(Elementwise, WideningIsExact) {
  constexpr int64_t kSize = 0x10000;
  std::vector<uint16_t> bits(kSize);
  for (std::size_t i = 0; i < kSize; ++i) bits[i] = static_cast<uint16_t>(i);
  std::vector<float> from_bf16(kSize), from_f16(kSize), copied(kSize);
  for (const int64_t offset : {0, 1}) {
    const int64_t size = kSize - offset;
    kernels_.bf16_to_f32(bits.data() + offset, from_bf16.data() + offset, size);
    kernels_.f16_to_f32(bits.data() + offset, from_f16.data() + offset, size);
    kernels_.f32_to_f32(from_f16.data() + offset, copied.data() + offset, size);
    for (std::size_t i = 0; i < kSize; ++i) {
      const float bf16 = bf16_to_float(bits[i]);
      const float f16 = f16_to_float(bits[i]);
      if (std::isnan(bf16)) {
        EXPECT_TRUE(std::isnan(from_bf16[i]));
      } else {
        ASSERT_EQ(from_bf16[i], bf16);
      }
      if (std::isnan(f16)) {
        EXPECT_TRUE(std::isnan(from_f16[i]) && std::isnan(copied[i]));
      } else {
        ASSERT_EQ(from_f16[i], f16);
        ASSERT_EQ(copied[i], f16);
      }
    }
  }
}

TEST_P(Elementwise, NarrowingRoundsToNearestEven) {
  if (kernels_.f32_to_bf16 == nullptr) return;         // a variant without bf16 products
  std::vector<float> x = random_floats(1001, 100.0F);  // 63 columns of 16 rows, with what follows
  // Halfway cases, both ways; the largest that does not round to infinity; infinity.
  x.insert(x.end(), {1.00390625F, 1.01171875F, 3.3895313e38F, kInfinity, -kInfinity, 0.0F, -0.0F});
  const int64_t group = kernels_.bf16_row_group;
  const auto x_stride = static_cast<int64_t>(x.size()) / group;
  for (const int64_t size : {x_stride, x_stride / 32 * 32, std::min<int64_t>(x_stride, 7)}) {
    for (int64_t first = 0; first < group; ++first) {
      for (int64_t rows = 1; first + rows <= group; ++rows) {
        const int64_t stride = size + 3;
        std::vector<uint16_t> expected(static_cast<std::size_t>(stride * group), 0xabcd);
        std::vector<uint16_t> out = expected;
        for (int64_t row = 0; row < rows; ++row) {
          for (int64_t i = 0; i < size + size % 2; ++i) {
            expected[static_cast<std::size_t>(bf16_offset(first + row, i, stride, group))] =
                i == size ? uint16_t{0}
                          : float_to_bf16(x[static_cast<std::size_t>(row * x_stride + i)]);
          }
        }
        uint16_t* const target = out.data() + bf16_offset(first, 0, stride, group);
        kernels_.f32_to_bf16(x.data(), x_stride, rows, target, size);
        ASSERT_EQ(out, expected) << rows << " rows from " << first << ", " << size << " columns";
      }
    }
  }
}

AIOS_INSTANTIATE_FOR_EACH_ISA(Elementwise);

}  // namespace
}  // namespace aios
