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

namespace aios {
namespace {

/// out[m][n] = sum over k of a[m][k] * b[k][n]: kRows rows, kVectors vectors of columns.
template <typename Isa, int kRows, int kVectors>
void outer_product_tile(int64_t depth, const float* a, int64_t a_stride, const float* b,
                        int64_t b_stride, float* out, int64_t out_stride) noexcept {
  using Vector = typename Isa::Vector;
  Vector sums[kRows][kVectors];
  for (int m = 0; m < kRows; ++m) {
    for (int n = 0; n < kVectors; ++n) sums[m][n] = Isa::zero();
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vector columns[kVectors];
    for (int n = 0; n < kVectors; ++n) columns[n] = Isa::load(b + k * b_stride + n * Isa::kLanes);
    for (int m = 0; m < kRows; ++m) {
      const Vector factor = Isa::fill(a[m * a_stride + k]);
      for (int n = 0; n < kVectors; ++n) sums[m][n] = Isa::fma(factor, columns[n], sums[m][n]);
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int n = 0; n < kVectors; ++n) {
      Isa::store(out + m * out_stride + n * Isa::kLanes, sums[m][n]);
    }
  }
}

/// The same for any number of rows.
template <typename Isa, int kVectors>
void outer_product(int64_t rows, int64_t depth, const float* a, int64_t a_stride, const float* b,
                   int64_t b_stride, float* out, int64_t out_stride) noexcept {
  constexpr int kTileRows = Isa::kAccumulators / kVectors;
  int64_t m = 0;
  for (; m + kTileRows <= rows; m += kTileRows) {
    outer_product_tile<Isa, kTileRows, kVectors>(depth, a + m * a_stride, a_stride, b, b_stride,
                                                 out + m * out_stride, out_stride);
  }
  for (; m < rows; ++m) {
    outer_product_tile<Isa, 1, kVectors>(depth, a + m * a_stride, a_stride, b, b_stride,
                                         out + m * out_stride, out_stride);
  }
}

/// The same for any number of vectors.
template <typename Isa>
void outer_product(int64_t rows, int64_t vectors, int64_t depth, const float* a, int64_t a_stride,
                   const float* b, int64_t b_stride, float* out, int64_t out_stride) noexcept {
  for (; vectors >= 4; vectors -= 4) {
    outer_product<Isa, 4>(rows, depth, a, a_stride, b, b_stride, out, out_stride);
    b += 4 * Isa::kLanes;
    out += 4 * Isa::kLanes;
  }
  if (vectors == 3) outer_product<Isa, 3>(rows, depth, a, a_stride, b, b_stride, out, out_stride);
  if (vectors == 2) outer_product<Isa, 2>(rows, depth, a, a_stride, b, b_stride, out, out_stride);
  if (vectors == 1) outer_product<Isa, 1>(rows, depth, a, a_stride, b, b_stride, out, out_stride);
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
        vectors_((a_.head_dim + Isa::kLanes - 1) / Isa::kLanes),
        padded_dim_(vectors_ * Isa::kLanes) {
    first_key_ = a_.num_keys;
    for (int64_t i = 0; i < a_.num_queries; ++i) {
      if (a_.visible_begin[i] < first_key_) first_key_ = a_.visible_begin[i];
    }
    first_key_ = first_key_ / kKeyTile * kKeyTile;
    score_stride_ = (a_.num_keys - first_key_ + kKeyTile - 1) / kKeyTile * kKeyTile;
    scores_ = a_.scratch;
    queries_ = scores_ + rows_ * score_stride_;
    keys_ = queries_ + rows_ * padded_dim_;
    values_ = keys_ + kKeyTile * padded_dim_;
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
  [[nodiscard]] int64_t end_of(int64_t row) const noexcept {
    const int64_t end = a_.visible_end[query_of(row)];
    return end < begin_of(row) ? begin_of(row) : end;
  }

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
    outer_product<Isa>(end - row, kKeyTile / Isa::kLanes, a_.head_dim, queries_ + row * padded_dim_,
                       padded_dim_, keys_, kKeyTile,
                       scores_ + row * score_stride_ + key - first_key_, score_stride_);
  }

  /// keys_[d][j] = dimension d of key `key` + j; what lies beyond `count` is 0.
  void transpose_keys(int64_t key, int64_t count) noexcept {
    const float* const source = a_.key + key * a_.key_stride;
    const int64_t whole_keys = count / 4 * 4;
    const int64_t whole_dims = a_.head_dim / 4 * 4;
    for (int64_t j = 0; j < whole_keys; j += 4) {
      for (int64_t d = 0; d < whole_dims; d += 4) {
        Isa::transpose4(source + j * a_.key_stride + d, a_.key_stride, keys_ + d * kKeyTile + j,
                        kKeyTile);
      }
    }
    for (int64_t d = 0; d < a_.head_dim; ++d) {
      for (int64_t j = d < whole_dims ? whole_keys : 0; j < kKeyTile; ++j) {
        keys_[d * kKeyTile + j] = j < count ? source[j * a_.key_stride + d] : 0;
      }
    }
  }

  /// Turns a row's scores into e^(score - maximum), 0 where the key is not seen, and divides its
  /// query's place in queries_, which is free now, by nothing: the sum is kept there.
  void softmax(int64_t row) noexcept {
    float* const scores = scores_ + row * score_stride_;
    const int64_t begin = begin_of(row) - first_key_;
    const int64_t end = end_of(row) - first_key_;
    const int64_t tile_begin = begin / Isa::kLanes * Isa::kLanes;
    const int64_t tile_end = (end + Isa::kLanes - 1) / Isa::kLanes * Isa::kLanes;
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
    queries_[row * padded_dim_] = Isa::sum(sum);
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
    alignas(64) float sums[kRowGroup];
    for (int64_t r = row; r < end; ++r) sums[r - row] = queries_[r * padded_dim_];
    const int64_t skipped = begin_key - first_key_;
    float* const results = queries_ + row * padded_dim_;
    outer_product<Isa>(end - row, vectors_, end_key - begin_key,
                       scores_ + row * score_stride_ + skipped, score_stride_,
                       values + skipped * value_stride, value_stride, results, padded_dim_);
    for (int64_t r = row; r < end; ++r) {
      const float sum = sums[r - row];
      const Vector factor = Isa::fill(sum > 0 ? 1 / sum : 0);
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
  int64_t vectors_;
  int64_t padded_dim_;
  int64_t first_key_;     // of the first tile
  int64_t score_stride_;  // whole tiles
  float* scores_;         // [rows_, score_stride_]
  float* queries_;        // [rows_, padded_dim_]; later a row's sum, then its result
  float* keys_;           // [head_dim, kKeyTile]
  float* values_;         // [keys, padded_dim_], if head_dim is no whole number of vectors
};

}  // namespace
}  // namespace aios
