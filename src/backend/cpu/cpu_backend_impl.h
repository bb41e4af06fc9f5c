/// The class behind `make_cpu_backend`; its operations are in cpu_backend.cpp, cpu_attention.cpp,
/// cpu_linear.cpp and cpu_head.cpp.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "aios/config.h"
#include "backend/cpu/gumbel.h"
#include "backend/cpu/linear_map.h"
#include "backend/cpu/rotary_table.h"

namespace aios {

/// What one tile of the vocabulary knows of one row.
struct TileCandidates {
  LogitSummary summary;
  GumbelWinner sampled;
};

/// A block of queries of one sequence, with all query heads of one key-value head.
struct AttentionBlock {
  int64_t query_row;       // of the first query in the packed rows
  int64_t query_position;  // of the first query among the sequence's keys
  int64_t num_queries;
  const KeyValueRange* range;
  int64_t key_value_head;
};

/// Scratch memory of one call.
struct Workspace {
  MatmulInput input;
  MatmulInput inner;                                 // of an MLP
  std::array<std::vector<MatmulInput>, 3> low_rank;  // per linear map of the call, per adapter
  SlotMemory slots;
  RotaryTable rotary;
  std::vector<AttentionBlock> attention_blocks;
  GrowingBuffer<TileCandidates> tile_candidates;
  GrowingBuffer<float> target_logits;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(std::shared_ptr<ThreadPool> pool, Isa isa, ComputeType compute)
      : pool_(std::move(pool)), kernels_(kernels_for(isa)), compute_(compute) {}

  DeviceTensorPtr load(const TensorView& tensor) override;
  BufferPtr allocate(int64_t rows, int64_t columns) override;
  void read(const Buffer& source, int64_t row, std::span<float> destination) override;
  void write(std::span<const float> source, Buffer& destination, int64_t row) override;
  void embed(const EmbedOp& op, const PackedSequences& sequences, Buffer& hidden) override;
  void normalize(const Norm& norm, int64_t num_rows, const Buffer& input, Buffer& output) override;
  void attention_input(const AttentionInputOp& op, std::span<const int32_t> positions,
                       const Buffer& hidden, Buffer& query, Buffer& key, Buffer& value) override;
  void copy_rows(const Buffer& source, int64_t source_row, Buffer& destination,
                 int64_t destination_row, int64_t num_rows) override;
  void attend(const AttentionOp& op, std::span<const int32_t> starts,
              std::span<const KeyValueRange> ranges, const Buffer& query, Buffer& output) override;
  void project_add(const Linear& linear, int64_t num_rows, const Buffer& input,
                   Buffer& hidden) override;
  void project(const Linear& linear, Activation activation, int64_t num_rows, const Buffer& input,
               Buffer& output) override;
  void mlp(const MlpOp& op, int64_t num_rows, Buffer& hidden) override;
  void pool(PoolKind kind, bool normalize, std::span<const int32_t> starts, const Buffer& hidden,
            Buffer& output) override;
  void head(const Linear& linear, const HeadRequest& request, const Buffer& hidden,
            HeadResult& result) override;

 private:
  using ElementwiseFunction = void (*)(float*, int64_t) noexcept;

  [[nodiscard]] LinearContext context(Workspace& workspace) const noexcept {
    return {*pool_, kernels_, compute_, workspace.slots};
  }
  /// Null for `kNone`.
  [[nodiscard]] ElementwiseFunction activation_function(Activation activation) const noexcept;
  /// workspace.input = norm(input), or input itself, in the forms given.
  void prepare_input(const Norm& norm, MatmulForms forms, int64_t num_rows, const Buffer& input,
                     Workspace& workspace);

  /// hidden += map(its input)
  void add_projection(LinearMap& map, int64_t num_rows, Workspace& workspace, CpuBuffer& hidden);
  void write_logits(const LinearMap& map, const HeadRequest& request, Workspace& workspace,
                    HeadResult& result);
  void find_candidates(const LinearMap& map, const HeadRequest& request, Workspace& workspace,
                       HeadResult& result);

  std::shared_ptr<ThreadPool> pool_;
  const Kernels& kernels_;
  ComputeType compute_;
  LendingPool<Workspace> workspaces_;
  std::shared_ptr<BufferPool> buffer_pool_ = std::make_shared<BufferPool>();
};

/// A norm with its vectors looked up and checked, or none.
class RowNorm {
 public:
  RowNorm() = default;  // no norm
  /// @throws InferenceError if a vector has not `size` elements
  RowNorm(const Kernels& kernels, const Norm& norm, int64_t size);
  explicit operator bool() const noexcept { return function_ != nullptr; }
  /// `x` and `out` may be the same row.
  void apply(const float* x, float* out) const noexcept {
    function_(
        {.x = x, .weight = weight_, .bias = bias_, .epsilon = epsilon_, .out = out, .size = size_});
  }

 private:
  void (*function_)(const NormalizeArguments&) noexcept = nullptr;
  const float* weight_ = nullptr;
  const float* bias_ = nullptr;
  float epsilon_ = 0;
  int64_t size_ = 0;
};

}  // namespace aios
