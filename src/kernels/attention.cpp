#include "kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.h"

namespace aios {
namespace {

/// scores[j - begin] = softmax over j of scale * query . key[j]
void softmax_scores(const AttentionArguments& a, const float* query, int64_t begin, int64_t end,
                    float* scores) noexcept {
  for (int64_t j = begin; j < end; ++j) {
    scores[j - begin] = a.scale * dot_reference(query, a.key + j * a.key_stride, a.head_dim);
  }
  const int64_t count = end - begin;
  const float maximum = *std::max_element(scores, scores + count);
  float sum = 0;
  for (int64_t j = 0; j < count; ++j) sum += scores[j] = std::exp(scores[j] - maximum);
  for (int64_t j = 0; j < count; ++j) scores[j] /= sum;
}

}  // namespace

int64_t attention_scratch_size(int64_t num_queries, int64_t group_size, int64_t num_keys,
                               int64_t head_dim) noexcept {
  // Whole tiles of keys and whole vectors of dimensions, as the widest variant wants them.
  constexpr int64_t kKeyTile = 64;
  constexpr int64_t kLanes = 16;
  const int64_t keys = (num_keys + kKeyTile - 1) / kKeyTile * kKeyTile;
  const int64_t dims = (head_dim + kLanes - 1) / kLanes * kLanes;
  const int64_t rows = num_queries * group_size;
  const int64_t padded_values = dims == head_dim ? 0 : keys * dims;
  return rows * (keys + dims + 1) + kKeyTile * dims + padded_values;
}

void attention_reference(const AttentionArguments& a) noexcept {
  for (int64_t i = 0; i < a.num_queries; ++i) {
    const int64_t begin = a.visible_begin[i];
    const int64_t end = a.visible_end[i];
    for (int64_t head = 0; head < a.group_size; ++head) {
      float* out = a.out + i * a.out_stride + head * a.head_dim;
      std::fill_n(out, a.head_dim, 0.0F);
      if (begin >= end) continue;
      const float* query = a.query + i * a.query_stride + head * a.head_dim;
      softmax_scores(a, query, begin, end, a.scratch);
      for (int64_t j = begin; j < end; ++j) {
        scale_add_reference(a.scratch[j - begin], a.value + j * a.value_stride, out, a.head_dim);
      }
    }
  }
}

}  // namespace aios
