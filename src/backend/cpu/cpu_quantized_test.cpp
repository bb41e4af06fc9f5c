// Quantised weights in every operation: against double references on what the weights stand for and
// on activations rounded to 8 bits, as kernels/quantized_matmul.h defines them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "backend/cpu/cpu_backend_test_support.h"

namespace aios {
namespace {

using backend_test::contents;
using backend_test::dequantized;
using backend_test::make_backend;
using backend_test::make_buffer;
using backend_test::make_quantized_view;
using backend_test::make_view;
using backend_test::Random;
using backend_test::TestLinear;

std::size_t index(int64_t value) { return static_cast<std::size_t>(value); }

/// A row of activations in 8 bits, in double. Where an input is known to `uncertainty` only and
/// lies that near to the middle between two codes, `slack` is the step that it may be off by.
struct RoundedRow {
  std::vector<double> values;
  std::vector<double> slack;

  RoundedRow(const float* x, int64_t depth, double uncertainty = 0)
      : values(index(depth)), slack(index(depth)) {
    for (int64_t begin = 0; begin < depth; begin += kMaxGroup) {
      const int64_t end = std::min(depth, begin + kMaxGroup);
      float largest = 0;
      for (int64_t k = begin; k < end; ++k) largest = std::max(largest, std::abs(x[k]));
      const float inverse = 127 / largest;
      const double scale = double{largest} / 127;
      for (int64_t k = begin; k < end; ++k) {
        const float code = x[k] * inverse;
        values[index(k)] = scale * std::nearbyint(code);
        const double from_middle = std::abs(std::abs(code - std::floor(code)) - 0.5);
        const bool unsure = uncertainty > 0 && from_middle < 2 * uncertainty / scale;
        slack[index(k)] = uncertainty + (unsure ? scale : 0);
      }
    }
  }
};

/// A value and how far a result may lie from it.
struct Bounded {
  double value = 0;
  double tolerance = 0;
};

/// W x + b. A group's integer sum becomes a float and is multiplied and added: no more than four
/// roundings a group of the magnitudes summed so far, and the bias's one. The row's scale and the
/// inverse that codes were made by are rounded too: two more.
Bounded apply(const TestLinear& map, const RoundedRow& x, int64_t column) {
  const int64_t depth = map.linear.in_features;
  Bounded result;
  double magnitude = 0;
  for (int64_t k = 0; k < depth; ++k) {
    const double weight = map.weight[index(column * depth + k)];
    result.value += x.values[index(k)] * weight;
    magnitude += std::abs(x.values[index(k)] * weight);
    result.tolerance += x.slack[index(k)] * std::abs(weight);
  }
  const double bias = map.bias.empty() ? 0 : map.bias[index(column)];
  result.value += bias;
  const auto num_groups = static_cast<double>((depth + kDepthUnit - 1) / kDepthUnit);
  result.tolerance += (4 * num_groups + 4) * 0x1p-24 * (magnitude + std::abs(bias));
  return result;
}

std::vector<QuantizedFormat> formats() {
  return {{QuantType::kInt8, 0}, {QuantType::kInt8, 32},  {QuantType::kInt4, 128},
          {QuantType::kInt4, 0}, {QuantType::kInt2, 128}, {QuantType::kInt2, 64}};
}

class CpuQuantized : public testing::TestWithParam<QuantizedFormat> {
 protected:
  std::unique_ptr<Backend> backend_ =
      make_backend(choose_isa(), /*num_threads=*/1, ComputeType::kAuto);
  Random random_{1};
};

TEST_P(CpuQuantized, ProjectEqualsDoubleReference) {
  struct Shape {
    int64_t rows, in, out;
  };
  for (const auto& [rows, in, out] : {Shape{1, 32, 16}, Shape{3, 88, 5}, Shape{50, 384, 70},
                                      Shape{13, 1, 1}, Shape{2, 900, 257}}) {
    const TestLinear map(*backend_, random_, in, out, GetParam());
    const std::vector<float> x = random_.normal(rows * in);
    const BufferPtr output = backend_->allocate(rows, out);
    backend_->project(map.linear, Activation::kNone, rows, *make_buffer(*backend_, x, rows),
                      *output);
    const std::vector<float> y = contents(*backend_, *output);
    for (int64_t m = 0; m < rows; ++m) {
      const RoundedRow row(x.data() + m * in, in);
      for (int64_t n = 0; n < out; ++n) {
        const Bounded expected = apply(map, row, n);
        ASSERT_NEAR(y[index(m * out + n)], expected.value, expected.tolerance) << m << ", " << n;
      }
    }
  }
}

TEST_P(CpuQuantized, ProjectAddAddsToTheHiddenStates) {
  constexpr int64_t kRows = 4, kIn = 88, kOut = 40;
  const TestLinear map(*backend_, random_, kIn, kOut, GetParam());
  const std::vector<float> x = random_.normal(kRows * kIn);
  const std::vector<float> before = random_.normal(kRows * kOut);
  const BufferPtr hidden = make_buffer(*backend_, before, kRows);
  backend_->project_add(map.linear, kRows, *make_buffer(*backend_, x, kRows), *hidden);
  const std::vector<float> y = contents(*backend_, *hidden);
  for (int64_t m = 0; m < kRows; ++m) {
    const RoundedRow row(x.data() + m * kIn, kIn);
    for (int64_t n = 0; n < kOut; ++n) {
      const Bounded expected = apply(map, row, n);
      const double start = before[index(m * kOut + n)];
      ASSERT_NEAR(y[index(m * kOut + n)], start + expected.value,
                  expected.tolerance + 0x1p-23 * (std::abs(start) + std::abs(expected.value)));
    }
  }
}

/// The inner states are known to the error of up and gate; silu's slope is below 1.1.
TEST_P(CpuQuantized, MlpEqualsDoubleReference) {
  constexpr int64_t kRows = 9, kHidden = 88, kInner = 200;
  const TestLinear gate(*backend_, random_, kHidden, kInner, GetParam());
  const TestLinear up(*backend_, random_, kHidden, kInner, GetParam());
  const TestLinear down(*backend_, random_, kInner, kHidden, GetParam());
  const std::vector<float> x = random_.normal(kRows * kHidden);
  for (const bool gated : {true, false}) {
    const BufferPtr hidden = make_buffer(*backend_, x, kRows);
    MlpOp op;
    op.up = up.linear;
    op.down = down.linear;
    op.activation = Activation::kSilu;
    if (gated) op.gate = gate.linear;
    backend_->mlp(op, kRows, *hidden);
    const std::vector<float> y = contents(*backend_, *hidden);
    for (int64_t m = 0; m < kRows; ++m) {
      const float* const row = x.data() + m * kHidden;
      const RoundedRow rounded(row, kHidden);
      std::vector<float> inner;
      double uncertainty = 0;
      for (int64_t i = 0; i < kInner; ++i) {
        const Bounded a = apply(gated ? gate : up, rounded, i);
        const Bounded b = gated ? apply(up, rounded, i) : Bounded{1, 0};
        const double activated = a.value / (1 + std::exp(-a.value));
        inner.push_back(static_cast<float>(activated * b.value));
        const double error = (1.1 * a.tolerance + 0x1p-21 * std::abs(activated)) *
                                 (std::abs(b.value) + b.tolerance) +
                             std::abs(activated) * b.tolerance;
        uncertainty = std::max(uncertainty, error);
      }
      const RoundedRow rounded_inner(inner.data(), kInner, uncertainty);
      for (int64_t n = 0; n < kHidden; ++n) {
        const Bounded expected = apply(down, rounded_inner, n);
        ASSERT_NEAR(y[index(m * kHidden + n)], row[n] + expected.value,
                    expected.tolerance + 0x1p-22 * (std::abs(row[n]) + std::abs(expected.value)))
            << (gated ? "gated " : "plain ") << m << ", " << n;
      }
    }
  }
}

/// Tiles are cut at whole heads and whole panels of 32 rows.
TEST_P(CpuQuantized, AttentionInputsOfAnyHeadSize) {
  constexpr int64_t kRows = 7, kHidden = 72;
  for (const int32_t head_dim : {24, 40, 88}) {
    const int64_t query_size = 5 * head_dim;
    const int64_t key_size = 2 * head_dim;
    const TestLinear query(*backend_, random_, kHidden, query_size, GetParam());
    const TestLinear key(*backend_, random_, kHidden, key_size, GetParam());
    const TestLinear value(*backend_, random_, kHidden, key_size, GetParam());
    AttentionInputOp op;
    op.query = query.linear;
    op.key = key.linear;
    op.value = value.linear;
    op.num_attention_heads = 5;
    op.num_key_value_heads = 2;
    op.head_dim = head_dim;
    std::vector<int32_t> positions(kRows);
    std::iota(positions.begin(), positions.end(), 0);
    const std::vector<float> x = random_.normal(kRows * kHidden);
    const BufferPtr outputs[] = {backend_->allocate(kRows, query_size),
                                 backend_->allocate(kRows, key_size),
                                 backend_->allocate(kRows, key_size)};
    backend_->attention_input(op, positions, *make_buffer(*backend_, x, kRows), *outputs[0],
                              *outputs[1], *outputs[2]);
    const TestLinear* const maps[] = {&query, &key, &value};
    for (std::size_t i = 0; i < 3; ++i) {
      const std::vector<float> y = contents(*backend_, *outputs[i]);
      const int64_t size = maps[i]->linear.out_features;
      for (int64_t m = 0; m < kRows; ++m) {
        const RoundedRow row(x.data() + m * kHidden, kHidden);
        for (int64_t n = 0; n < size; ++n) {
          const Bounded expected = apply(*maps[i], row, n);
          ASSERT_NEAR(y[index(m * size + n)], expected.value, expected.tolerance)
              << head_dim << ": " << i << ", " << m << ", " << n;
        }
      }
    }
  }
}

TEST_P(CpuQuantized, AdaptersAddToQuantisedWeights) {
  constexpr int64_t kRows = 5, kIn = 40, kOut = 100, kRank = 4;
  TestLinear map(*backend_, random_, kIn, kOut, GetParam());
  const TestLinear lora_a(*backend_, random_, kIn, kRank, DType::kF32, false);
  const TestLinear lora_b(*backend_, random_, kRank, kOut, DType::kF32, false);
  map.linear.adapters.push_back({.lora_a = lora_a.linear.weight,
                                 .lora_b = lora_b.linear.weight,
                                 .lora_rank = kRank,
                                 .lora_scale = -2});
  const std::vector<float> x = random_.normal(kRows * kIn);
  const BufferPtr output = backend_->allocate(kRows, kOut);
  backend_->project(map.linear, Activation::kNone, kRows, *make_buffer(*backend_, x, kRows),
                    *output);
  const std::vector<float> y = contents(*backend_, *output);
  for (int64_t m = 0; m < kRows; ++m) {
    const float* const row = x.data() + m * kIn;
    std::vector<float> reduced;  // of the row itself, which is not rounded for the adapter
    for (int64_t r = 0; r < kRank; ++r) reduced.push_back(static_cast<float>(lora_a.apply(row, r)));
    for (int64_t n = 0; n < kOut; ++n) {
      const Bounded base = apply(map, RoundedRow(row, kIn), n);
      const double expected = base.value - 2 * lora_b.apply(reduced.data(), n);
      // 44 products of about unit size in f32, as in cpu_linear_test.cpp.
      ASSERT_NEAR(y[index(m * kOut + n)], expected, base.tolerance + 4 * 4e-6);
    }
  }
}

constexpr int64_t kVocab = 1000;  // several tiles, panels and a tail
constexpr int64_t kHidden = 88;

TEST_P(CpuQuantized, HeadLogitsAndCandidatesEqualDoubleReference) {
  constexpr int64_t kRows = 3;
  const TestLinear head(*backend_, random_, kHidden, kVocab, GetParam());
  const std::vector<float> x = random_.normal(kRows * kHidden, 3.0F);
  const BufferPtr hidden = make_buffer(*backend_, x, kRows);
  const int32_t rows[] = {2, 0};
  HeadResult logits;
  backend_->head(head.linear, {.output = HeadOutput::kLogits, .rows = rows}, *hidden, logits);
  HeadResult candidates;
  backend_->head(head.linear, {.output = HeadOutput::kCandidates, .rows = rows}, *hidden,
                 candidates);
  for (std::size_t i = 0; i < 2; ++i) {
    const float* const row = logits.logits.data() + i * kVocab;
    const RoundedRow rounded(x.data() + rows[i] * kHidden, kHidden);
    double sum = 0;
    for (int64_t id = 0; id < kVocab; ++id) {
      const Bounded expected = apply(head, rounded, id);
      ASSERT_NEAR(row[id], expected.value, expected.tolerance) << i << ", " << id;
      sum += std::exp(double{row[id]});
    }
    const RowCandidates& found = candidates.candidates[i];
    EXPECT_EQ(found.top_ids[0], std::max_element(row, row + kVocab) - row);
    EXPECT_NEAR(found.log_sum_exp, std::log(sum), 1e-5);
    EXPECT_NEAR(found.top_log_probs[0], row[found.top_ids[0]] - std::log(sum), 1e-5);
  }
}

TEST_P(CpuQuantized, EmbeddingRowsAreExact) {
  const TensorView table = make_quantized_view(random_, GetParam(), 70, kHidden, 1);
  const std::vector<float> expected = dequantized(table);
  EmbedOp op;
  op.token = backend_->load(table);
  const int32_t ids[] = {69, 0, 33, 31, 32, 0};
  const int32_t positions[] = {0, 1, 2, 3, 4, 5};
  const int32_t starts[] = {0, 6};
  const BufferPtr hidden = backend_->allocate(6, kHidden);
  backend_->embed(op, {.token_ids = ids, .positions = positions, .type_ids = {}, .starts = starts},
                  *hidden);
  const std::vector<float> y = contents(*backend_, *hidden);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t k = 0; k < kHidden; ++k) {
      ASSERT_EQ(y[i * kHidden + k], expected[index(ids[i]) * kHidden + k]);
    }
  }
}

/// Weights by `seed`, the same for every backend: a gated MLP and a projection of it.
std::vector<float> mlp_and_projection(Backend& backend, const QuantizedFormat& format,
                                      const std::vector<float>& x, int64_t rows,
                                      bool widen = false) {
  constexpr int64_t kInner = 300;
  Random random(3);
  const auto linear = [&](int64_t in, int64_t out) {
    TestLinear map(backend, random, in, out, format);
    if (widen) map.linear.weight = backend.load(make_view(map.weight, {out, in}));
    return map.linear;
  };
  MlpOp op;
  op.gate = linear(kHidden, kInner);
  op.up = linear(kHidden, kInner);
  op.down = linear(kInner, kHidden);
  const Linear last = linear(kHidden, 130);
  const BufferPtr hidden = make_buffer(backend, x, rows);
  const BufferPtr output = backend.allocate(rows, 130);
  backend.mlp(op, rows, *hidden);
  backend.project(last, Activation::kGelu, rows, *hidden, *output);
  return contents(backend, *output);
}

TEST_P(CpuQuantized, TheSameBitsOnAnyNumberOfThreadsAloneOrInABatch) {
  constexpr int64_t kRows = 45;
  const std::vector<float> x = random_.normal(kRows * kHidden);
  const auto batch = mlp_and_projection(*backend_, GetParam(), x, kRows);
  for (const int num_threads : {2, 3}) {
    const auto backend = make_backend(choose_isa(), num_threads, ComputeType::kAuto);
    EXPECT_EQ(mlp_and_projection(*backend, GetParam(), x, kRows), batch) << num_threads;
  }
  const std::size_t width = batch.size() / kRows;
  for (const int64_t row : {0, 7, 8, 44}) {
    const std::vector<float> one(x.begin() + row * kHidden, x.begin() + (row + 1) * kHidden);
    const auto alone = mlp_and_projection(*backend_, GetParam(), one, 1);
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), batch.begin() + std::ptrdiff_t(index(row) * width)))
        << row;
  }
}

/// `--compute f32` computes with what the weights stand for: as if the file held them in f32.
TEST_P(CpuQuantized, InF32TheyAreTheWeightsThatTheyStandFor) {
  constexpr int64_t kRows = 5;
  const std::vector<float> x = random_.normal(kRows * kHidden);
  const auto backend = make_backend(choose_isa(), 1, ComputeType::kF32);
  EXPECT_EQ(mlp_and_projection(*backend, GetParam(), x, kRows),
            mlp_and_projection(*backend, GetParam(), x, kRows, /*widen=*/true));
}

std::string format_name(const testing::TestParamInfo<QuantizedFormat>& format) {
  return std::string(quant_type_name(format.param.type)) + "InGroupsOf" +
         std::to_string(format.param.group_size);
}

INSTANTIATE_TEST_SUITE_P(Formats, CpuQuantized, testing::ValuesIn(formats()), format_name);

}  // namespace
}  // namespace aios
