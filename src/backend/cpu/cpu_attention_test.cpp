#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend_test_support.h"

namespace aios {
namespace {

using backend_test::contents;
using backend_test::make_backend;
using backend_test::make_buffer;
using backend_test::make_view;
using backend_test::Random;
using backend_test::TestLinear;

struct AttentionCase {
  AttentionKind kind;
  int32_t block_length, sliding_window, num_heads, num_key_value_heads, head_dim;
};

bool sees(const AttentionOp& op, int64_t i, int64_t j) {
  if (op.sliding_window > 0 && j <= i - op.sliding_window) return false;
  if (op.kind == AttentionKind::kCausal) return j <= i;
  if (op.kind == AttentionKind::kBlockCausal) return j / op.block_length <= i / op.block_length;
  return true;
}

/// Rows of one head inside [rows, columns] values.
struct HeadRows {
  const std::vector<float>& values;
  int64_t columns;
  int64_t column;
  [[nodiscard]] double at(int64_t row, int64_t d) const {
    return values[static_cast<std::size_t>(row * columns + column + d)];
  }
};

std::vector<double> attend(const AttentionOp& op, const HeadRows& query, const HeadRows& key,
                           const HeadRows& value, int64_t begin, int64_t end, int64_t i) {
  std::vector<double> out(static_cast<std::size_t>(op.head_dim));
  double sum = 0;
  for (int64_t j = 0; j < end - begin; ++j) {
    if (!sees(op, i, j)) continue;
    double score = 0;
    for (int64_t d = 0; d < op.head_dim; ++d) {
      score += query.at(begin + i, d) * key.at(begin + j, d);
    }
    const double weight = std::exp(op.scale * score);
    sum += weight;
    for (int64_t d = 0; d < op.head_dim; ++d) {
      out[static_cast<std::size_t>(d)] += weight * value.at(begin + j, d);
    }
  }
  for (double& element : out) element /= sum;
  return out;
}

class CpuAttention : public testing::TestWithParam<AttentionCase> {
 protected:
  CpuAttention() {
    const AttentionCase& c = GetParam();
    op_ = {.kind = c.kind,
           .block_length = c.block_length,
           .sliding_window = c.sliding_window,
           .scale = 1 / std::sqrt(static_cast<float>(c.head_dim)),
           .num_attention_heads = c.num_heads,
           .num_key_value_heads = c.num_key_value_heads,
           .head_dim = c.head_dim};
    Random random(11);
    query_ = random.normal(kTokens * op_.num_attention_heads * op_.head_dim, 2.0F);
    key_ = random.normal(kTokens * op_.num_key_value_heads * op_.head_dim, 2.0F);
    value_ = random.normal(kTokens * op_.num_key_value_heads * op_.head_dim);
  }

  /// The whole batch in one call.
  std::vector<float> attend_batch(int num_threads) const {
    const auto backend = make_backend(choose_isa(), num_threads);
    const BufferPtr query = make_buffer(*backend, query_, kTokens);
    const BufferPtr key = make_buffer(*backend, key_, kTokens);
    const BufferPtr value = make_buffer(*backend, value_, kTokens);
    std::vector<KeyValueRange> ranges;
    for (std::size_t s = 0; s + 1 < starts_.size(); ++s) {
      ranges.push_back({key.get(), value.get(), starts_[s], starts_[s + 1] - starts_[s], 0});
    }
    const BufferPtr output = backend->allocate(kTokens, query->columns());
    backend->attend(op_, starts_, ranges, *query, *output);
    return contents(*backend, *output);
  }

  static constexpr int64_t kTokens = 180;
  const std::vector<int32_t> starts_ = {0, 70, 71, 180};
  AttentionOp op_;
  std::vector<float> query_, key_, value_;
};

TEST_P(CpuAttention, EqualsDoubleReference) {
  const std::vector<float> output = attend_batch(1);
  const int64_t group_size = op_.num_attention_heads / op_.num_key_value_heads;
  const int64_t columns = op_.num_attention_heads * op_.head_dim;
  for (std::size_t s = 0; s + 1 < starts_.size(); ++s) {
    for (int64_t head = 0; head < op_.num_attention_heads; ++head) {
      const HeadRows query{query_, columns, head * op_.head_dim};
      const int64_t key_columns = op_.num_key_value_heads * op_.head_dim;
      const HeadRows key{key_, key_columns, head / group_size * op_.head_dim};
      const HeadRows value{value_, key_columns, head / group_size * op_.head_dim};
      for (int64_t i = 0; i < starts_[s + 1] - starts_[s]; ++i) {
        const std::vector<double> expected =
            attend(op_, query, key, value, starts_[s], starts_[s + 1], i);
        for (int64_t d = 0; d < op_.head_dim; ++d) {
          const auto index =
              static_cast<std::size_t>((starts_[s] + i) * columns + head * op_.head_dim + d);
          // Scores of size ~10 carry an absolute error of a few 1e-6, which exp makes relative.
          ASSERT_NEAR(output[index], expected[static_cast<std::size_t>(d)], 2e-5);
        }
      }
    }
  }
}

TEST_P(CpuAttention, SameBitsForEveryThreadCount) {
  const std::vector<float> expected = attend_batch(1);
  EXPECT_EQ(attend_batch(2), expected);
  EXPECT_EQ(attend_batch(3), expected);
}

TEST_P(CpuAttention, SameBitsQueryByQuery) {
  if (op_.kind == AttentionKind::kFull) return;  // the full case asks about the future
  const std::vector<float> expected = attend_batch(1);
  const auto backend = make_backend(choose_isa());
  const int64_t columns = op_.num_attention_heads * op_.head_dim;
  const BufferPtr key = make_buffer(*backend, key_, kTokens);
  const BufferPtr value = make_buffer(*backend, value_, kTokens);
  const BufferPtr query = backend->allocate(1, columns);
  const BufferPtr output = backend->allocate(1, columns);
  const int32_t begin = starts_[2];
  const int32_t length = starts_[3] - begin;
  for (int32_t i = 0; i < length; ++i) {
    int32_t num_keys = i + 1;
    if (op_.kind == AttentionKind::kBlockCausal) {
      num_keys = std::min(length, (i / op_.block_length + 1) * op_.block_length);
    }
    const float* const row = query_.data() + (begin + i) * columns;
    backend->write({row, static_cast<std::size_t>(columns)}, *query, 0);
    const KeyValueRange range[] = {{key.get(), value.get(), begin, num_keys, i}};
    backend->attend(op_, std::vector<int32_t>{0, 1}, range, *query, *output);
    const std::vector<float> alone = contents(*backend, *output);
    ASSERT_EQ(std::memcmp(alone.data(), expected.data() + (begin + i) * columns,
                          alone.size() * sizeof(float)),
              0)
        << "query " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CpuAttention,
                         testing::Values(AttentionCase{AttentionKind::kFull, 0, 0, 4, 4, 32},
                                         AttentionCase{AttentionKind::kFull, 0, 0, 3, 1, 8},
                                         AttentionCase{AttentionKind::kCausal, 0, 0, 4, 2, 20},
                                         AttentionCase{AttentionKind::kCausal, 0, 0, 14, 2, 64},
                                         AttentionCase{AttentionKind::kCausal, 0, 13, 2, 2, 16},
                                         AttentionCase{AttentionKind::kFull, 0, 33, 2, 1, 128},
                                         AttentionCase{AttentionKind::kBlockCausal, 32, 0, 4, 1,
                                                       24}));

TEST(CpuAttentionInput, NormalisesProjectsAndRotates) {
  constexpr int64_t kRows = 7, kHidden = 40, kHeads = 4, kKeyValueHeads = 2, kHeadDim = 12;
  Random random(5);
  const auto backend = make_backend(choose_isa());
  const TestLinear query(*backend, random, kHidden, kHeads * kHeadDim);
  const TestLinear key(*backend, random, kHidden, kKeyValueHeads * kHeadDim);
  const TestLinear value(*backend, random, kHidden, kKeyValueHeads * kHeadDim);
  const std::vector<float> x = random.normal(kRows * kHidden);
  const std::vector<float> norm_weight = random.normal(kHidden);
  const std::vector<float> head_weight = random.normal(kHeadDim);
  const Rotary rotary{{1.0F, 0.3F, 0.05F, 0.01F}, 1.25F};  // four of six pairs
  const std::vector<int32_t> positions = {0, 1, 2, 3, 100, 101, 5};
  AttentionInputOp op{.norm = {.weight = backend->load(make_view(norm_weight, {kHidden}))},
                      .query = query.linear,
                      .key = key.linear,
                      .value = value.linear,
                      .query_norm = {.weight = backend->load(make_view(head_weight, {kHeadDim}))},
                      .key_norm = {},
                      .rotary = &rotary,
                      .num_attention_heads = kHeads,
                      .num_key_value_heads = kKeyValueHeads,
                      .head_dim = kHeadDim};
  const BufferPtr hidden = make_buffer(*backend, x, kRows);
  const BufferPtr q = backend->allocate(kRows, kHeads * kHeadDim);
  const BufferPtr k = backend->allocate(kRows, kKeyValueHeads * kHeadDim);
  const BufferPtr v = backend->allocate(kRows, kKeyValueHeads * kHeadDim);
  backend->attention_input(op, positions, *hidden, *q, *k, *v);

  const auto rms = [](std::vector<double>& values, const std::vector<float>& weight) {
    double sum = 0;
    for (const double element : values) sum += element * element;
    const double factor = 1 / std::sqrt(sum / static_cast<double>(values.size()) + 1e-6);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factor * weight[i];
  };
  const auto expect = [&](const TestLinear& map, const Buffer& buffer, bool with_norm,
                          bool rotated) {
    const std::vector<float> actual = contents(*backend, buffer);
    for (int64_t row = 0; row < kRows; ++row) {
      std::vector<double> input(x.begin() + row * kHidden, x.begin() + (row + 1) * kHidden);
      rms(input, norm_weight);
      const std::vector<float> rounded(input.begin(), input.end());
      for (int64_t head = 0; head < buffer.columns() / kHeadDim; ++head) {
        std::vector<double> values;
        for (int64_t d = 0; d < kHeadDim; ++d) {
          values.push_back(map.apply(rounded.data(), head * kHeadDim + d));
        }
        if (with_norm) rms(values, head_weight);
        for (std::size_t i = 0; rotated && i < 4; ++i) {
          const double angle = static_cast<double>(positions[static_cast<std::size_t>(row)]) *
                               rotary.inverse_frequencies[i];
          const double first = values[i], second = values[i + 4];
          values[i] = 1.25 * (first * std::cos(angle) - second * std::sin(angle));
          values[i + 4] = 1.25 * (second * std::cos(angle) + first * std::sin(angle));
        }
        for (int64_t d = 0; d < kHeadDim; ++d) {
          const auto index = static_cast<std::size_t>(row * buffer.columns() + head * kHeadDim + d);
          // An angle of 100 rounded to float is off by up to 4e-6.
          ASSERT_NEAR(actual[index], values[static_cast<std::size_t>(d)], 4e-5);
        }
      }
    }
  };
  expect(query, *q, true, true);
  expect(key, *k, false, true);
  expect(value, *v, false, false);
}

}  // namespace
}  // namespace aios
