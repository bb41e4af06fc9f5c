/// attention.h on vectors: scores of tiles of keys, exact two-pass softmax, weighted sum of values.
///
/// Rows are the block's queries times the heads of the group. A score is one sum over the head's
/// dimensions, an output one sum over the keys, both in ascending order; the softmax sum runs in
/// kLanes partial sums by the key's index. Keys that a query does not see weigh exactly 0, so that
/// neither tiles nor neighbours change a bit.
#pragma once

#include <cstdint>

#include "kernels/attention.h"
#include "kernels/elementwise_impl.h"
#include "kernels/outer_product_impl.h"

namespace aios {
namespace {

/// out = a b for any number of vectors of columns.
template <typename Isa>
void multiply_rows(const OuterProductArguments<F32Products<Isa>>& p, int64_t rows,
                   int64_t vectors) noexcept {
  using Products = F32Products<Isa>;
  int64_t column = 0;
  for (; vectors >= 4; vectors -= 4, column += 4 * Isa::kLanes) {
    outer_product<Isa, Products, 4>(p, rows, column);
  }
  if (vectors == 3) outer_product<Isa, Products, 3>(p, rows, column);
  if (vectors == 2) outer_product<Isa, Products, 2>(p, rows, column);
  if (vectors == 1) outer_product<Isa, Products, 1>(p, rows, column);
}

template <typename Isa>
class Attention {
  using Vector = typename Isa::Vector;
  static constexpr int64_t kKeyTile = 4 * Isa::kLanes;
  /// Rows whose values are summed together.
  static constexpr int64_t kRowGroup = 24;

 public:
  static void run(const AttentionArguments& arguments) noexcept { Attention(arguments).attend(); }

 private:
  explicit Attention(const AttentionArguments& arguments) noexcept
      : a_(arguments),
        rows_(a_.num_queries * a_.group_size),
        padded_dim_(whole_vectors(a_.head_dim)) {
    first_key_ = a_.num_keys;
    for (int64_t i = 0; i < a_.num_queries; ++i) {
      if (a_.visible_begin[i] < first_key_) first_key_ = a_.visible_begin[i];
    }
    first_key_ = first_key_ / kKeyTile * kKeyTile;
    score_stride_ = (a_.num_keys - first_key_ + kKeyTile - 1) / kKeyTile * kKeyTile;
    scores_ = a_.scratch;
    queries_ = scores_ + rows_ * score_stride_;
    keys_ = queries_ + rows_ * padded_dim_;
    sums_ = keys_ + kKeyTile * padded_dim_;
    values_ = sums_ + rows_;
  }

  static constexpr int64_t whole_vectors(int64_t count) noexcept {
    return (count + Isa::kLanes - 1) / Isa::kLanes * Isa::kLanes;
  }

  void attend() noexcept {
    gather_queries();
    for (int64_t key = first_key_; key < a_.num_keys; key += kKeyTile) score_tile(key);
    for (int64_t row = 0; row < rows_; ++row) softmax(row);
    const float* values = a_.value + first_key_ * a_.value_stride;
    int64_t value_stride = a_.value_stride;
    if (padded_dim_ != a_.head_dim) {
      pad_values();
      values = values_;
      value_stride = padded_dim_;
    }
    for (int64_t row = 0; row < rows_; row += kRowGroup) {
      const int64_t end = row + kRowGroup < rows_ ? row + kRowGroup : rows_;
      sum_values(row, end, values, value_stride);
    }
  }

  [[nodiscard]] int64_t query_of(int64_t row) const noexcept { return row / a_.group_size; }
  [[nodiscard]] int64_t begin_of(int64_t row) const noexcept {
    return a_.visible_begin[query_of(row)];
  }
  [[nodiscard]] int64_t end_of(int64_t row) const noexcept { return a_.visible_end[query_of(row)]; }

  /// queries_[row] = scale * the row's query
  void gather_queries() noexcept {
    const Vector scale = Isa::fill(a_.scale);
    for (int64_t row = 0; row < rows_; ++row) {
      const float* const query =
          a_.query + query_of(row) * a_.query_stride + row % a_.group_size * a_.head_dim;
      for (int64_t d = 0; d < a_.head_dim; d += Isa::kLanes) {
        const int64_t count = a_.head_dim - d < Isa::kLanes ? a_.head_dim - d : Isa::kLanes;
        Isa::store(queries_ + row * padded_dim_ + d,
                   Isa::mul(load_up_to<Isa>(query + d, count), scale));
      }
    }
  }

  /// scores_ of kKeyTile keys from `key` for all rows that may see them.
  void score_tile(int64_t key) noexcept {
    const int64_t count = a_.num_keys - key < kKeyTile ? a_.num_keys - key : kKeyTile;
    transpose_keys(key, count);
    int64_t row = 0;
    while (row < rows_ && (end_of(row) <= key || begin_of(row) >= key + count)) ++row;
    int64_t end = rows_;
    while (end > row && (end_of(end - 1) <= key || begin_of(end - 1) >= key + count)) --end;
    multiply_rows<Isa>({.depth = a_.head_dim,
                        .a = queries_ + row * padded_dim_,
                        .a_stride = padded_dim_,
                        .b = keys_,
                        .b_stride = kKeyTile,
                        .out = scores_ + row * score_stride_ + key - first_key_,
                        .out_stride = score_stride_,
                        .adds = false},
                       end - row, whole_vectors(count) / Isa::kLanes);
  }

  /// keys_[d][j] = dimension d of key `key` + j; beyond `count` 0 to the end of the vector.
  void transpose_keys(int64_t key, int64_t count) noexcept {
    const float* const source = a_.key + key * a_.key_stride;
    const int64_t whole_keys = count / Isa::kLanes * Isa::kLanes;
    const int64_t whole_dims = a_.head_dim / 4 * 4;
    for (int64_t j = 0; j < whole_keys; j += Isa::kLanes) {
      for (int64_t d = 0; d < whole_dims; d += 4) {
        transpose4<Isa>(source + j * a_.key_stride + d, a_.key_stride, keys_ + d * kKeyTile + j,
                        kKeyTile);
      }
    }
    for (int64_t d = 0; d < a_.head_dim; ++d) {
      for (int64_t j = d < whole_dims ? whole_keys : 0; j < whole_vectors(count); ++j) {
        keys_[d * kKeyTile + j] = j < count ? source[j * a_.key_stride + d] : 0;
      }
    }
  }

  /// Turns a row's scores into e^(score - maximum), 0 where the key is not seen.
  void softmax(int64_t row) noexcept {
    float* const scores = scores_ + row * score_stride_;
    const int64_t begin = begin_of(row) - first_key_;
    const int64_t end = end_of(row) - first_key_;
    if (begin >= end) {
      for (int64_t j = 0; j < score_stride_; ++j) scores[j] = 0;
      sums_[row] = 0;
      return;
    }
    const int64_t tile_begin = begin / Isa::kLanes * Isa::kLanes;
    const int64_t tile_end = whole_vectors(end);
    for (int64_t j = tile_begin; j < begin; ++j) scores[j] = -__builtin_inff();
    for (int64_t j = end; j < tile_end; ++j) scores[j] = -__builtin_inff();
    Vector maximum = Isa::fill(-__builtin_inff());
    for (int64_t j = tile_begin; j < tile_end; j += Isa::kLanes) {
      maximum = Isa::max(maximum, Isa::load(scores + j));
    }
    const Vector offset = Isa::fill(Isa::max_element(maximum));
    Vector sum = Isa::zero();
    for (int64_t j = tile_begin; j < tile_end; j += Isa::kLanes) {
      const Vector weight = exp<Isa>(Isa::sub(Isa::load(scores + j), offset));
      Isa::store(scores + j, weight);
      sum = Isa::add(sum, weight);
    }
    sums_[row] = Isa::sum(sum);
    for (int64_t j = 0; j < tile_begin; ++j) scores[j] = 0;
    for (int64_t j = tile_end; j < score_stride_; ++j) scores[j] = 0;
  }

  /// values_ = the values from first_key_ on, padded with zeros to whole vectors.
  void pad_values() noexcept {
    for (int64_t j = first_key_; j < a_.num_keys; ++j) {
      const float* const source = a_.value + j * a_.value_stride;
      float* const out = values_ + (j - first_key_) * padded_dim_;
      for (int64_t d = 0; d < padded_dim_; ++d) out[d] = d < a_.head_dim ? source[d] : 0;
    }
  }

  /// out = sum of weight * value / sum of weights, for rows [row, end).
  void sum_values(int64_t row, int64_t end, const float* values, int64_t value_stride) noexcept {
    int64_t begin_key = a_.num_keys;
    int64_t end_key = first_key_;
    for (int64_t r = row; r < end; ++r) {
      if (begin_of(r) < begin_key) begin_key = begin_of(r);
      if (end_of(r) > end_key) end_key = end_of(r);
    }
    const int64_t skipped = begin_key - first_key_;
    multiply_rows<Isa>({.depth = end_key - begin_key,
                        .a = scores_ + row * score_stride_ + skipped,
                        .a_stride = score_stride_,
                        .b = values + skipped * value_stride,
                        .b_stride = value_stride,
                        .out = queries_ + row * padded_dim_,
                        .out_stride = padded_dim_,
                        .adds = false},
                       end - row, padded_dim_ / Isa::kLanes);
    for (int64_t r = row; r < end; ++r) {
      const Vector factor = Isa::fill(sums_[r] == 0 ? 0 : 1 / sums_[r]);
      float* const out = a_.out + query_of(r) * a_.out_stride + r % a_.group_size * a_.head_dim;
      for (int64_t d = 0; d < a_.head_dim; d += Isa::kLanes) {
        const int64_t count = a_.head_dim - d < Isa::kLanes ? a_.head_dim - d : Isa::kLanes;
        store_up_to<Isa>(out + d, Isa::mul(Isa::load(queries_ + r * padded_dim_ + d), factor),
                         count);
      }
    }
  }

  const AttentionArguments& a_;
  int64_t rows_;
  int64_t padded_dim_;
  int64_t first_key_;     // of the first tile
  int64_t score_stride_;  // whole tiles
  float* scores_;         // [rows_, score_stride_]
  float* queries_;        // [rows_, padded_dim_]; later a row's result
  float* keys_;           // [head_dim, kKeyTile]
  float* sums_;           // [rows_]
  float* values_;         // [keys, padded_dim_], if head_dim is no whole number of vectors
};

}  // namespace
}  // namespace aios
