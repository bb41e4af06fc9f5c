/// A `Linear`, checked and ready to be computed tile by tile.
#pragma once

#include <vector>

#include "aios/config.h"
#include "backend/cpu/cpu_memory.h"
#include "backend/cpu/matmul_input.h"
#include "backend/cpu/parallel.h"
#include "tensor/linear.h"

namespace aios {

/// What the linear maps of one call share. Scratch belongs to the call.
struct LinearContext {
  ThreadPool& pool;
  const Kernels& kernels;
  ComputeType compute;
  SlotMemory& slots;
};

/// Made per call: borrows the `Linear` and the context, which outlive it.
class LinearMap {
 public:
  /// @param role what it is, for messages
  /// @throws InferenceError if a shape is not what the `Linear` says
  LinearMap(const LinearContext& context, const Linear& linear, const char* role);

  [[nodiscard]] int64_t in_features() const noexcept { return linear_->in_features; }
  [[nodiscard]] int64_t out_features() const noexcept { return linear_->out_features; }
  /// What its input must hold.
  [[nodiscard]] MatmulForms forms() const noexcept;
  /// Columns of a tile are a multiple of this, but at the end.
  [[nodiscard]] int64_t column_unit() const noexcept {
    return weight_->is_quantized() ? kPanelRows : 1;
  }
  /// The most of its results that one thread takes at a time.
  [[nodiscard]] TileSize tile_size() const noexcept {
    const bool is_int8 =
        weight_->is_quantized() && weight_->quantized().format.type == QuantType::kInt8;
    return is_int8 ? context_->kernels.int8_tile_size : context_->kernels.tile_size;
  }
  /// Floats of scratch that `apply` needs for a tile of `tile_size` elements.
  [[nodiscard]] int64_t scratch_size(int64_t tile_size) const noexcept {
    return adapters_.empty() ? 0 : tile_size;
  }

  /// Takes the complete input of the following `apply` calls, and computes the adapters' lora_a x
  /// into `low_rank`. A parallel region of its own; uses the context's slots.
  void set_input(const MatmulInput& x, int64_t rows, std::vector<MatmulInput>& low_rank);

  /// out[row - row_begin, column - column_begin] = (W x + b + adapters) over the tile.
  void apply(const Tile& tile, float* out, int64_t out_stride, float* scratch) const noexcept;
  /// The same added to `out`. Needs scratch for another tile.
  void add_to(const Tile& tile, float* out, int64_t out_stride, float* scratch) const noexcept;

 private:
  struct Adapter {
    const CpuTensor* lora_a;
    const CpuTensor* lora_b;
    float scale;
    const MatmulInput* low_rank;
  };
  [[nodiscard]] const float* bias_of(const Tile& tile) const noexcept {
    return bias_ == nullptr ? nullptr : bias_ + tile.column_begin;
  }
  [[nodiscard]] MatmulForms forms_of(const CpuTensor& weight) const noexcept;
  /// How a product ends: what is added to it, and to what it is added.
  struct Ending {
    const float* bias = nullptr;  // of the tile's first column
    bool adds = false;            // to `out`; quantised weights only
  };
  void multiply(const CpuTensor& weight, const MatmulInput& x, const Tile& tile, Ending ending,
                float* out, int64_t out_stride) const noexcept;

  const LinearContext* context_;
  const Linear* linear_;
  const CpuTensor* weight_;
  const float* bias_;
  std::vector<Adapter> adapters_;
  const MatmulInput* input_ = nullptr;
};

}  // namespace aios
