#include "kernels/attention.h"

#include <cmath>

#include "base/aligned_buffer.h"
#include "kernels/kernel_test_support.h"

namespace aios {
namespace {

using kernel_test::random_floats;
using kernel_test::same_bits;

/// One key-value head with a group of query heads, queries and keys at strides of their own.
struct Problem {
  int64_t num_queries, group_size, num_keys, head_dim;
  std::vector<int32_t> begin, end;
  std::vector<float> query, key, value;

  Problem(int64_t queries, int64_t group, int64_t keys, int64_t dim)
      : num_queries(queries),
        group_size(group),
        num_keys(keys),
        head_dim(dim),
        query(random_floats(queries * query_stride(), 1.5F, 1)),
        key(random_floats(keys * key_stride(), 1.5F, 2)),
        value(random_floats(keys * key_stride(), 1.0F, 3)) {
    for (int64_t i = 0; i < queries; ++i) {  // uneven windows, some queries blind
      begin.push_back(static_cast<int32_t>(i * keys / (2 * queries)));
      end.push_back(i == 3 ? begin.back() : static_cast<int32_t>(keys - i % 5));
    }
  }
  [[nodiscard]] int64_t query_stride() const { return group_size * head_dim + 3; }
  [[nodiscard]] int64_t key_stride() const { return head_dim + 5; }

  /// Queries [first, first + count), as if there were `keys` keys.
  [[nodiscard]] std::vector<float> run(const Kernels& kernels, int64_t first, int64_t count,
                                       int64_t keys) const {
    std::vector<float> out(static_cast<std::size_t>(count * group_size * head_dim), -1.0F);
    AlignedBuffer<float> scratch(
        static_cast<std::size_t>(attention_scratch_size(count, group_size, keys, head_dim)));
    kernels.attention({.query = query.data() + first * query_stride(),
                       .query_stride = query_stride(),
                       .key = key.data(),
                       .key_stride = key_stride(),
                       .value = value.data(),
                       .value_stride = key_stride(),
                       .out = out.data(),
                       .out_stride = group_size * head_dim,
                       .visible_begin = begin.data() + first,
                       .visible_end = end.data() + first,
                       .num_queries = count,
                       .group_size = group_size,
                       .num_keys = keys,
                       .head_dim = head_dim,
                       .scale = 0.3F,
                       .scratch = scratch.data()});
    return out;
  }

  [[nodiscard]] double expected(int64_t i, int64_t head, int64_t d) const {
    double sum = 0, weighted = 0;
    for (int64_t j = begin[static_cast<std::size_t>(i)]; j < end[static_cast<std::size_t>(i)];
         ++j) {
      double score = 0;
      for (int64_t e = 0; e < head_dim; ++e) {
        score += static_cast<double>(
                     query[static_cast<std::size_t>(i * query_stride() + head * head_dim + e)]) *
                 key[static_cast<std::size_t>(j * key_stride() + e)];
      }
      const double weight = std::exp(0.3 * score);
      sum += weight;
      weighted += weight * value[static_cast<std::size_t>(j * key_stride() + d)];
    }
    return sum == 0 ? 0 : weighted / sum;
  }
};

class AttentionKernel : public kernel_test::ForEachIsa {};

TEST_P(AttentionKernel, EqualsDoubleReference) {
  constexpr int64_t kCases[][4] = {{1, 1, 1, 4},     {5, 1, 3, 8},    {17, 3, 70, 20},
                                   {32, 1, 129, 32}, {6, 7, 200, 64}, {4, 2, 65, 130}};
  for (const auto& [queries, group, keys, dim] : kCases) {
    const Problem problem(queries, group, keys, dim);
    const std::vector<float> out = problem.run(kernels_, 0, queries, keys);
    for (int64_t i = 0; i < queries; ++i) {
      for (int64_t head = 0; head < group; ++head) {
        for (int64_t d = 0; d < dim; ++d) {
          // A score of size ~20 is off by a few 1e-6, which exp makes a relative error.
          ASSERT_NEAR(out[static_cast<std::size_t>((i * group + head) * dim + d)],
                      problem.expected(i, head, d), 2e-5)
              << keys << " keys, query " << i << ", head " << head << ", dimension " << d;
        }
      }
    }
  }
}

TEST_P(AttentionKernel, AQueryIsTheSameBitsAloneAndWithUnseenKeys) {
  constexpr int64_t kQueries = 30, kGroup = 2, kKeys = 150, kDim = 24;
  const Problem problem(kQueries, kGroup, kKeys, kDim);
  const std::vector<float> all = problem.run(kernels_, 0, kQueries, kKeys);
  for (int64_t i = 0; i < kQueries; ++i) {
    const int64_t seen = problem.end[static_cast<std::size_t>(i)];
    const std::vector<float> alone = problem.run(kernels_, i, 1, seen);
    ASSERT_TRUE(same_bits(alone.data(), all.data() + i * kGroup * kDim, kGroup * kDim)) << i;
  }
}

AIOS_INSTANTIATE_FOR_EACH_ISA(AttentionKernel);

}  // namespace
}  // namespace aios
