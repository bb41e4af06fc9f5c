#include "backend/cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include <thread>

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

constexpr int64_t kHidden = 40;

TEST(CpuBackend, BorrowsMatricesAndReadsBackBuffers) {
  const auto backend = make_backend(choose_isa());
  Random random(1);
  const std::vector<float> values = random.normal(6 * kHidden);
  const BufferPtr buffer = make_buffer(*backend, values, 6);
  EXPECT_EQ(contents(*backend, *buffer), values);
  const BufferPtr other = backend->allocate(6, kHidden);
  backend->write(std::vector<float>(6 * kHidden, 0.0F), *other, 0);
  backend->copy_rows(*buffer, 1, *other, 3, 2);
  const std::vector<float> copied = contents(*backend, *other);
  for (std::size_t i = 0; i < copied.size(); ++i) {
    const bool is_copied = i >= 3 * kHidden && i < 5 * kHidden;
    EXPECT_EQ(copied[i], is_copied ? values[i - 2 * kHidden] : 0);
  }
}

class CpuEmbed : public testing::TestWithParam<DType> {};

TEST_P(CpuEmbed, SumsTheRowsOfItsTables) {
  Random random(2);
  const auto backend = make_backend(choose_isa());
  const TensorView token = make_view(random.normal(9 * kHidden), {9, kHidden}, GetParam());
  const TensorView position = make_view(random.normal(5 * kHidden), {5, kHidden}, GetParam());
  const TensorView type = make_view(random.normal(2 * kHidden), {2, kHidden}, GetParam());
  const std::vector<int32_t> ids = {8, 0, 3}, positions = {4, 0, 2}, types = {1, 0, 1},
                             starts = {0, 3};
  EmbedOp op;
  op.token = backend->load(token);
  op.position = backend->load(position);
  op.type = backend->load(type);
  const BufferPtr hidden = backend->allocate(3, kHidden);
  for (const bool with_types : {true, false}) {
    backend->embed(op, {ids, positions, with_types ? types : std::vector<int32_t>{}, starts},
                   *hidden);
    const std::vector<float> result = contents(*backend, *hidden);
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t i = 0; i < kHidden; ++i) {
        const auto at = [&](const TensorView& table, int32_t index) {
          return to_floats(table)[static_cast<std::size_t>(index) * kHidden + i];
        };
        EXPECT_NEAR(result[row * kHidden + i],
                    at(token, ids[row]) + at(position, positions[row]) +
                        at(type, with_types ? types[row] : 0),
                    1e-6);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, CpuEmbed, testing::Values(DType::kF32, DType::kBF16, DType::kF16));

TEST(CpuEmbed, RefusesWhatIsOutsideItsTables) {
  Random random(3);
  const auto backend = make_backend(choose_isa());
  EmbedOp op;
  op.token = backend->load(make_view(random.normal(9 * kHidden), {9, kHidden}));
  op.position = backend->load(make_view(random.normal(5 * kHidden), {5, kHidden}));
  op.type = backend->load(make_view(random.normal(2 * kHidden), {2, kHidden}));
  const BufferPtr hidden = backend->allocate(1, kHidden);
  const std::vector<int32_t> starts = {0, 1};
  const auto embed = [&](int32_t id, int32_t position, int32_t type) {
    backend->embed(op,
                   {std::vector<int32_t>{id}, std::vector<int32_t>{position},
                    std::vector<int32_t>{type}, starts},
                   *hidden);
  };
  EXPECT_NO_THROW(embed(8, 4, 1));
  EXPECT_THROW(embed(9, 0, 0), InferenceError);
  EXPECT_THROW(embed(-1, 0, 0), InferenceError);
  EXPECT_THROW(embed(0, 5, 0), InferenceError);
  EXPECT_THROW(embed(0, 0, 2), InferenceError);
}

TEST(CpuPool, TakesMeanFirstOrLastRow) {
  Random random(4);
  const auto backend = make_backend(choose_isa());
  const std::vector<float> values = random.normal(7 * kHidden);
  const BufferPtr hidden = make_buffer(*backend, values, 7);
  const BufferPtr output = backend->allocate(2, kHidden);
  const std::vector<int32_t> starts = {0, 3, 7};
  for (const PoolKind kind : {PoolKind::kMean, PoolKind::kCls, PoolKind::kLast}) {
    for (const bool normalize : {false, true}) {
      backend->pool(kind, normalize, starts, *hidden, *output);
      const std::vector<float> result = contents(*backend, *output);
      for (std::size_t s = 0; s < 2; ++s) {
        const auto begin = static_cast<std::size_t>(starts[s]);
        const auto end = static_cast<std::size_t>(starts[s + 1]);
        std::vector<double> expected(kHidden);
        for (std::size_t row = begin; row < end; ++row) {
          const bool counts = kind == PoolKind::kMean || (kind == PoolKind::kCls && row == begin) ||
                              (kind == PoolKind::kLast && row == end - 1);
          const double weight =
              kind == PoolKind::kMean ? 1.0 / static_cast<double>(end - begin) : 1;
          for (std::size_t i = 0; counts && i < kHidden; ++i) {
            expected[i] += weight * values[row * kHidden + i];
          }
        }
        double square = 0;
        for (const double element : expected) square += element * element;
        for (std::size_t i = 0; i < kHidden; ++i) {
          EXPECT_NEAR(result[s * kHidden + i], expected[i] / (normalize ? std::sqrt(square) : 1),
                      1e-6);
        }
      }
    }
  }
}

TEST(CpuPool, AZeroVectorStaysZero) {
  const auto backend = make_backend(choose_isa());
  const BufferPtr hidden = make_buffer(*backend, std::vector<float>(kHidden, 0.0F), 1);
  const BufferPtr output = backend->allocate(1, kHidden);
  backend->pool(PoolKind::kMean, true, std::vector<int32_t>{0, 1}, *hidden, *output);
  EXPECT_EQ(contents(*backend, *output), std::vector<float>(kHidden, 0.0F));
}

/// Every operation of a layer that mixes columns, in one weight type.
class Layer {
 public:
  Layer(Backend& backend, DType dtype) : backend_(backend) {
    Random random(5);
    const auto linear = [&](int64_t in, int64_t out) {
      return TestLinear(backend, random, in, out, dtype).linear;
    };
    Norm norm;
    norm.weight = backend.load(make_view(random.normal(kWidth), {kWidth}));
    input_.norm = norm;
    input_.query = linear(kWidth, kWidth);
    input_.key = linear(kWidth, kWidth / 2);
    input_.value = linear(kWidth, kWidth / 2);
    input_.rotary = &rotary_;
    input_.num_attention_heads = 4;
    input_.num_key_value_heads = 2;
    input_.head_dim = kWidth / 4;
    output_ = linear(kWidth, kWidth);
    mlp_.norm = norm;
    mlp_.gate = linear(kWidth, kInner);
    mlp_.up = linear(kWidth, kInner);
    mlp_.down = linear(kInner, kWidth);
    add_adapter(mlp_.down, random);
    attention_.num_attention_heads = 4;
    attention_.num_key_value_heads = 2;
    attention_.head_dim = kWidth / 4;
    attention_.scale = 0.2F;
  }

  /// The layer over sequences of `lengths`, whose tokens are consecutive rows of `x`.
  [[nodiscard]] std::vector<float> run(const std::vector<float>& x,
                                       const std::vector<int32_t>& lengths) const {
    const int64_t rows = static_cast<int64_t>(x.size()) / kWidth;
    std::vector<int32_t> starts = {0}, positions;
    for (const int32_t length : lengths) {
      starts.push_back(starts.back() + length);
      for (int32_t i = 0; i < length; ++i) positions.push_back(i);
    }
    const BufferPtr hidden = make_buffer(backend_, x, rows);
    const BufferPtr query = backend_.allocate(rows, kWidth);
    const BufferPtr key = backend_.allocate(rows, kWidth / 2);
    const BufferPtr value = backend_.allocate(rows, kWidth / 2);
    const BufferPtr mixed = backend_.allocate(rows, kWidth);
    backend_.attention_input(input_, positions, *hidden, *query, *key, *value);
    std::vector<KeyValueRange> ranges;
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      ranges.push_back({key.get(), value.get(), starts[s], lengths[s], 0});
    }
    backend_.attend(attention_, starts, ranges, *query, *mixed);
    backend_.project_add(output_, rows, *mixed, *hidden);
    backend_.mlp(mlp_, rows, *hidden);
    return contents(backend_, *hidden);
  }

  static constexpr int64_t kWidth = 88;
  static constexpr int64_t kInner = 200;

 private:
  void add_adapter(Linear& linear, Random& random) {
    const TestLinear lora_a(backend_, random, linear.in_features, 5, DType::kF32, false);
    const TestLinear lora_b(backend_, random, 5, linear.out_features, DType::kF32, false);
    linear.adapters.push_back({.lora_a = lora_a.linear.weight,
                               .lora_b = lora_b.linear.weight,
                               .lora_rank = 5,
                               .lora_scale = 0.5F});
  }

  Backend& backend_;
  const Rotary rotary_{{1.0F, 0.5F, 0.1F, 0.01F}, 1.0F};
  AttentionInputOp input_;
  AttentionOp attention_;
  Linear output_;
  MlpOp mlp_;
};

class CpuLayer : public testing::TestWithParam<std::tuple<DType, ComputeType>> {};

TEST_P(CpuLayer, SameBitsForEveryThreadCountAndBatch) {
  const auto [dtype, compute] = GetParam();
  Random random(6);
  const std::vector<int32_t> lengths = {1, 30, 7, 64, 1};
  const std::vector<float> x = random.normal(103 * Layer::kWidth);
  const auto one_thread = make_backend(choose_isa(), 1, compute);
  const std::vector<float> expected = Layer(*one_thread, dtype).run(x, lengths);
  for (const int num_threads : {2, 3}) {
    const auto backend = make_backend(choose_isa(), num_threads, compute);
    const Layer layer(*backend, dtype);
    EXPECT_EQ(layer.run(x, lengths), expected) << num_threads << " threads";
    int64_t row = 0;
    for (const int32_t length : lengths) {
      const auto begin = x.begin() + row * Layer::kWidth;
      const std::vector<float> alone = layer.run({begin, begin + length * Layer::kWidth}, {length});
      EXPECT_EQ(std::memcmp(alone.data(), expected.data() + row * Layer::kWidth,
                            alone.size() * sizeof(float)),
                0)
          << "the sequence of " << length << " alone";
      row += length;
    }
  }
}

TEST_P(CpuLayer, SeveralCallersShareABackend) {
  const auto [dtype, compute] = GetParam();
  Random random(7);
  const std::vector<int32_t> lengths = {20};
  const std::vector<float> x = random.normal(20 * Layer::kWidth);
  const auto backend = make_backend(choose_isa(), 2, compute);
  const Layer layer(*backend, dtype);
  const std::vector<float> expected = layer.run(x, lengths);
  std::vector<std::vector<float>> results(4);
  {
    std::vector<std::jthread> callers;
    for (std::vector<float>& result : results) {
      callers.emplace_back([&] {
        for (int repetition = 0; repetition < 5; ++repetition) result = layer.run(x, lengths);
      });
    }
  }
  for (const std::vector<float>& result : results) EXPECT_EQ(result, expected);
}

INSTANTIATE_TEST_SUITE_P(Types, CpuLayer,
                         testing::Combine(testing::Values(DType::kF32, DType::kBF16, DType::kF16),
                                          testing::Values(ComputeType::kAuto, ComputeType::kF32)));

TEST(CpuLinear, Bf16ProductsAreCloseToF32) {
  constexpr int64_t kRows = 9, kIn = 300, kOut = 50;
  Random random(8);
  const std::vector<float> x = random.normal(kRows * kIn);
  std::vector<std::vector<float>> results;
  for (const ComputeType compute : {ComputeType::kF32, ComputeType::kAuto}) {
    const auto backend = make_backend(choose_isa(), 1, compute);
    Random weights(9);
    const TestLinear map(*backend, weights, kIn, kOut, DType::kBF16);
    const BufferPtr output = backend->allocate(kRows, kOut);
    backend->project(map.linear, Activation::kNone, kRows, *make_buffer(*backend, x, kRows),
                     *output);
    results.push_back(contents(*backend, *output));
  }
  // Activations rounded to 8 bits: each product is off by up to 2^-9, and 300 products of size
  // 1 / sqrt(300) add up like a random walk: a deviation of 2^-9 / sqrt 3, here six of them.
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_NEAR(results[0][i], results[1][i], 6 * 0x1p-9 / std::sqrt(3.0));
  }
}

}  // namespace
}  // namespace aios
