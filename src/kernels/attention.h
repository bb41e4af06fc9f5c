/// Softmax attention of a block of queries over one key-value head.
#pragma once

#include <cstdint>

namespace aios {

/// Query i (of `num_queries`) with its `group_size` heads attends to keys
/// [visible_begin[i], visible_end[i]) of [0, num_keys); one that sees none gets zeros. A query's
/// result is the same bits whatever the other queries of the block, and whatever the keys that it
/// does not see.
struct AttentionArguments {
  const float* query = nullptr;  // [num_queries, query_stride], heads at multiples of head_dim
  int64_t query_stride = 0;
  const float* key = nullptr;  // [num_keys, key_stride], head_dim used
  int64_t key_stride = 0;
  const float* value = nullptr;  // [num_keys, value_stride], head_dim used
  int64_t value_stride = 0;
  float* out = nullptr;  // [num_queries, out_stride], heads at multiples of head_dim
  int64_t out_stride = 0;
  const int32_t* visible_begin = nullptr;  // [num_queries]
  const int32_t* visible_end = nullptr;    // [num_queries]
  int64_t num_queries = 0;
  int64_t group_size = 0;
  int64_t num_keys = 0;
  int64_t head_dim = 0;
  float scale = 1;           // of the scores
  float* scratch = nullptr;  // [attention_scratch_size(...)], 64-byte aligned
};

/// Floats of scratch that a block needs, in every variant.
[[nodiscard]] int64_t attention_scratch_size(int64_t num_queries, int64_t group_size,
                                             int64_t num_keys, int64_t head_dim) noexcept;

void attention_reference(const AttentionArguments& arguments) noexcept;

}  // namespace aios
