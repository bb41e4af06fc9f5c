#include <gtest/gtest.h>

#include "aios/error.h"
#include "backend/cpu/cpu_backend_test_support.h"

namespace aios {
namespace {

using backend_test::contents;
using backend_test::make_backend;
using backend_test::make_buffer;
using backend_test::make_view;
using backend_test::Random;
using backend_test::TestLinear;

/// A sum of `depth` products of unit size in f32: each of its partial sums rounds once.
constexpr double kSumTolerance = 4e-6;

struct LinearCase {
  int64_t rows, in, out;
  DType dtype;
};

class CpuLinear : public testing::TestWithParam<LinearCase> {};

TEST_P(CpuLinear, ProjectEqualsDoubleReference) {
  const auto [rows, in, out, dtype] = GetParam();
  Random random(1);
  const auto backend = make_backend(choose_isa());
  const TestLinear map(*backend, random, in, out, dtype);
  const std::vector<float> x = random.normal(rows * in);
  const BufferPtr output = backend->allocate(rows, out);
  backend->project(map.linear, Activation::kNone, rows, *make_buffer(*backend, x, rows), *output);
  const std::vector<float> y = contents(*backend, *output);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t n = 0; n < out; ++n) {
      ASSERT_NEAR(y[static_cast<std::size_t>(m * out + n)], map.apply(x.data() + m * in, n),
                  kSumTolerance)
          << m << ", " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, CpuLinear,
    testing::Values(LinearCase{1, 32, 16, DType::kF32}, LinearCase{3, 88, 5, DType::kF32},
                    LinearCase{7, 88, 33, DType::kBF16}, LinearCase{50, 100, 70, DType::kF16},
                    LinearCase{13, 1, 1, DType::kF32}, LinearCase{2, 300, 257, DType::kBF16}));

TEST(CpuLinear, AdaptersAddTheirScaledLowRankProduct) {
  constexpr int64_t kRows = 5, kIn = 40, kOut = 24;
  Random random(2);
  const auto backend = make_backend(choose_isa());
  TestLinear map(*backend, random, kIn, kOut);
  const std::vector<float> x = random.normal(kRows * kIn);
  std::vector<TestLinear> lora_a, lora_b;
  const float scales[] = {0.5F, -2.0F};
  const int64_t ranks[] = {4, 7};
  for (std::size_t i = 0; i < 2; ++i) {
    lora_a.emplace_back(*backend, random, kIn, ranks[i], DType::kF32, false);
    lora_b.emplace_back(*backend, random, ranks[i], kOut, DType::kF32, false);
    map.linear.adapters.push_back({.lora_a = lora_a[i].linear.weight,
                                   .lora_b = lora_b[i].linear.weight,
                                   .lora_rank = ranks[i],
                                   .lora_scale = scales[i]});
  }
  const BufferPtr output = backend->allocate(kRows, kOut);
  backend->project(map.linear, Activation::kNone, kRows, *make_buffer(*backend, x, kRows), *output);
  const std::vector<float> y = contents(*backend, *output);
  for (int64_t m = 0; m < kRows; ++m) {
    for (int64_t n = 0; n < kOut; ++n) {
      double expected = map.apply(x.data() + m * kIn, n);
      for (std::size_t i = 0; i < 2; ++i) {
        std::vector<float> reduced;
        for (int64_t r = 0; r < ranks[i]; ++r) {
          reduced.push_back(static_cast<float>(lora_a[i].apply(x.data() + m * kIn, r)));
        }
        expected += scales[i] * lora_b[i].apply(reduced.data(), n);
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(m * kOut + n)], expected, 4 * kSumTolerance);
    }
  }
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case Activation::kGeluTanh:
      return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kTanh:
      return std::tanh(x);
  }
  return 0;
}

class CpuMlp : public testing::TestWithParam<std::tuple<Activation, bool>> {};

TEST_P(CpuMlp, EqualsDoubleReference) {
  constexpr int64_t kRows = 9, kHidden = 24, kInner = 88;
  const auto [activation, gated] = GetParam();
  Random random(3);
  const auto backend = make_backend(choose_isa());
  const TestLinear gate(*backend, random, kHidden, kInner);
  const TestLinear up(*backend, random, kHidden, kInner);
  const TestLinear down(*backend, random, kInner, kHidden);
  const std::vector<float> x = random.normal(kRows * kHidden);
  const BufferPtr hidden = make_buffer(*backend, x, kRows);
  MlpOp op;
  op.up = up.linear;
  op.down = down.linear;
  op.activation = activation;
  if (gated) op.gate = gate.linear;
  backend->mlp(op, kRows, *hidden);
  const std::vector<float> y = contents(*backend, *hidden);
  for (int64_t m = 0; m < kRows; ++m) {
    const float* const row = x.data() + m * kHidden;
    std::vector<float> inner;
    for (int64_t i = 0; i < kInner; ++i) {
      const double value = gated ? activate(activation, gate.apply(row, i)) * up.apply(row, i)
                                 : activate(activation, up.apply(row, i));
      inner.push_back(static_cast<float>(value));
    }
    for (int64_t n = 0; n < kHidden; ++n) {
      ASSERT_NEAR(y[static_cast<std::size_t>(m * kHidden + n)],
                  row[n] + down.apply(inner.data(), n), 4 * kSumTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Activations, CpuMlp,
                         testing::Combine(testing::Values(Activation::kNone, Activation::kSilu,
                                                          Activation::kGelu, Activation::kGeluTanh,
                                                          Activation::kRelu, Activation::kTanh),
                                          testing::Bool()));

TEST(CpuLinear, RefusesAWeightOfAnotherShape) {
  Random random(4);
  const auto backend = make_backend(choose_isa());
  TestLinear map(*backend, random, 8, 4);
  map.linear.in_features = 9;
  const BufferPtr buffer = backend->allocate(1, 9);
  const BufferPtr output = backend->allocate(1, 4);
  EXPECT_THROW(backend->project(map.linear, Activation::kNone, 1, *buffer, *output),
               InferenceError);
}

TEST(CpuLinear, RefusesWeightsItCannotComputeWith) {
  const auto backend = make_backend(choose_isa());
  EXPECT_THROW(static_cast<void>(backend->load(make_view({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}))),
               FormatError);
  TensorView integers = make_view({1, 2}, {1, 2});
  integers.dtype = DType::kI32;
  EXPECT_THROW(static_cast<void>(backend->load(integers)), FormatError);
}

TEST(CpuLinear, TakesWeightsOnAnyByte) {
  Random random(5);
  const auto backend = make_backend(choose_isa());
  TestLinear map(*backend, random, 8, 4);
  std::vector<std::byte> shifted(8 * 4 * sizeof(float) + 1);
  std::memcpy(shifted.data() + 1, map.weight.data(), shifted.size() - 1);
  map.linear.weight =
      backend->load({DType::kF32, {4, 8}, shifted.data() + 1, shifted.size() - 1, nullptr});
  const std::vector<float> x = random.normal(8);
  const BufferPtr output = backend->allocate(1, 4);
  backend->project(map.linear, Activation::kNone, 1, *make_buffer(*backend, x, 1), *output);
  for (int64_t n = 0; n < 4; ++n) {
    EXPECT_NEAR(contents(*backend, *output)[static_cast<std::size_t>(n)], map.apply(x.data(), n),
                kSumTolerance);
  }
}

}  // namespace
}  // namespace aios
