/// The coarse operations of a transformer, on a device's own buffers.
///
/// `Transformer::forward` calls nothing but these; each backend fuses inside them as its hardware
/// likes. Activations are f32, row major, one row per token of the packed sequences. Every result
/// is the same bits whatever else is in the batch, however many threads there are, and whether keys
/// and values came from a cache. One backend may serve several threads; a buffer belongs to one
/// caller at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/head.h"
#include "tensor/linear.h"
#include "tensor/tensor_view.h"

namespace aios {

/// f32 [rows, columns] in device memory.
class Buffer {
 public:
  virtual ~Buffer() = default;
  [[nodiscard]] int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] int64_t columns() const noexcept { return columns_; }

 protected:
  Buffer(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {}

 private:
  int64_t rows_;
  int64_t columns_;
};
using BufferPtr = std::unique_ptr<Buffer>;

/// Sequences laid end to end: sequence s owns rows [starts[s], starts[s + 1]).
struct PackedSequences {
  std::span<const int32_t> token_ids;  // [tokens]
  std::span<const int32_t> positions;  // [tokens]
  std::span<const int32_t> type_ids;   // [tokens], or empty: all 0
  std::span<const int32_t> starts;     // [sequences + 1]
};

enum class NormKind { kRmsNorm, kLayerNorm };
struct Norm {
  NormKind kind = NormKind::kRmsNorm;
  DeviceTensorPtr weight{};  // [size]; null: no norm
  DeviceTensorPtr bias{};    // [size] or null
  float epsilon = 1e-6F;
  explicit operator bool() const noexcept { return weight != nullptr; }
};

/// hidden = token[id] + position[p + position_offset] + type[t], then norm if given.
struct EmbedOp {
  DeviceTensorPtr token;     // [vocab_size, hidden_size]
  DeviceTensorPtr position;  // [max_positions, hidden_size] or null
  DeviceTensorPtr type;      // [num_types, hidden_size] or null
  Norm norm;
};

/// Rotary embedding, half-rotated (NeoX): angle(p, i) = p * inverse_frequencies[i]; cos and sin are
/// multiplied by `scale`. Acts on the first 2 * inverse_frequencies.size() dimensions of a head.
struct Rotary {
  std::vector<float> inverse_frequencies;
  float scale = 1.0F;
};

/// query, key, value = rotate(head_norm(W norm(hidden) + b)).
struct AttentionInputOp {
  Norm norm;  // absent in post-norm models
  Linear query, key, value;
  Norm query_norm, key_norm;       // over each head, or absent
  const Rotary* rotary = nullptr;  // or null
  int32_t num_attention_heads = 0;
  int32_t num_key_value_heads = 0;
  int32_t head_dim = 0;
};

enum class AttentionKind { kFull, kCausal, kBlockCausal };

/// Keys and values of one sequence: rows [first_row, first_row + num_rows) of both buffers. The
/// queries of the sequence stand at key indices query_offset, query_offset + 1, ...
struct KeyValueRange {
  const Buffer* keys = nullptr;  // [*, num_key_value_heads * head_dim]
  const Buffer* values = nullptr;
  int64_t first_row = 0;
  int64_t num_rows = 0;
  int64_t query_offset = 0;
};

/// Query i sees key j (indices within the sequence) if: kFull: always; kCausal: j <= i;
/// kBlockCausal: j / block_length <= i / block_length; and, with sliding_window w > 0: j > i - w.
struct AttentionOp {
  AttentionKind kind = AttentionKind::kFull;
  int32_t block_length = 0;
  int32_t sliding_window = 0;  // 0: none
  float scale = 1.0F;          // of the scores, usually 1 / sqrt(head_dim)
  int32_t num_attention_heads = 0;
  int32_t num_key_value_heads = 0;
  int32_t head_dim = 0;
};

enum class Activation { kNone, kSilu, kGelu, kGeluTanh, kRelu, kTanh };

/// hidden += down(activation(gate x) * up x), or hidden += down(activation(up x)) without a gate;
/// x = norm(hidden) or hidden itself.
struct MlpOp {
  Norm norm;
  Linear gate;  // absent in plain MLPs
  Linear up;
  Linear down;
  Activation activation = Activation::kSilu;
};

enum class PoolKind { kMean, kCls, kLast };

class Backend {
 public:
  virtual ~Backend() = default;

  /// Takes a matrix or vector into device memory; the CPU borrows mapped weights without a copy.
  [[nodiscard]] virtual DeviceTensorPtr load(const TensorView& tensor) = 0;
  [[nodiscard]] virtual BufferPtr allocate(int64_t rows, int64_t columns) = 0;
  /// Copies rows [row, row + destination.size() / columns) to the host.
  virtual void read(const Buffer& source, int64_t row, std::span<float> destination) = 0;
  virtual void write(std::span<const float> source, Buffer& destination, int64_t row) = 0;

  /// `hidden` has at least token_ids.size() rows; so have the buffers of all operations below,
  /// which act on the first `num_rows`.
  virtual void embed(const EmbedOp& op, const PackedSequences& sequences, Buffer& hidden) = 0;
  virtual void normalize(const Norm& norm, int64_t num_rows, const Buffer& input,
                         Buffer& output) = 0;
  virtual void attention_input(const AttentionInputOp& op, std::span<const int32_t> positions,
                               const Buffer& hidden, Buffer& query, Buffer& key, Buffer& value) = 0;
  /// Copies `num_rows` rows; how keys and values enter a cache.
  virtual void copy_rows(const Buffer& source, int64_t source_row, Buffer& destination,
                         int64_t destination_row, int64_t num_rows) = 0;
  /// `ranges` has one entry per sequence of `starts`.
  virtual void attend(const AttentionOp& op, std::span<const int32_t> starts,
                      std::span<const KeyValueRange> ranges, const Buffer& query,
                      Buffer& output) = 0;
  /// hidden += W input + b
  virtual void project_add(const Linear& linear, int64_t num_rows, const Buffer& input,
                           Buffer& hidden) = 0;
  /// output = activation(W input + b)
  virtual void project(const Linear& linear, Activation activation, int64_t num_rows,
                       const Buffer& input, Buffer& output) = 0;
  virtual void mlp(const MlpOp& op, int64_t num_rows, Buffer& hidden) = 0;
  /// output[s] = the pooled rows of sequence s, scaled to L2 norm 1 if `normalize`.
  virtual void pool(PoolKind kind, bool normalize, std::span<const int32_t> starts,
                    const Buffer& hidden, Buffer& output) = 0;
  /// Scores of the vocabulary for the requested rows: logits = (W hidden[row] + b).
  virtual void head(const Linear& linear, const HeadRequest& request, const Buffer& hidden,
                    HeadResult& result) = 0;
};

}  // namespace aios
