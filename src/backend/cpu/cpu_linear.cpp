/// Projections and MLPs of the CPU backend.
#include <algorithm>
#include <optional>

#include "backend/cpu/cpu_backend_impl.h"

namespace aios {

CpuBackend::ElementwiseFunction CpuBackend::activation_function(
    Activation activation) const noexcept {
  switch (activation) {
    case Activation::kNone:
      return nullptr;
    case Activation::kSilu:
      return kernels_.silu;
    case Activation::kGelu:
      return kernels_.gelu;
    case Activation::kGeluTanh:
      return kernels_.gelu_tanh;
    case Activation::kRelu:
      return kernels_.relu;
    case Activation::kTanh:
      return kernels_.tanh;
  }
  return nullptr;
}

void CpuBackend::prepare_input(const Norm& norm, MatmulForms forms, int64_t num_rows,
                               const Buffer& input, Workspace& workspace) {
  const int64_t size = input.columns();
  const RowNorm row_norm(kernels_, norm, size);
  MatmulInput& stored = workspace.input;
  stored.reset(kernels_, forms, num_rows, size);
  store_rows(*pool_, num_rows, workspace.slots, stored,
             [&](int64_t begin, int64_t end, float* normalized) {
               if (!row_norm) return cpu(input).row(begin);
               for (int64_t row = begin; row < end; ++row) {
                 row_norm.apply(cpu(input).row(row), normalized + (row - begin) * size);
               }
               return static_cast<const float*>(normalized);
             });
}

void CpuBackend::project(const Linear& linear, Activation activation, int64_t num_rows,
                         const Buffer& input, Buffer& output) {
  const auto workspace = workspaces_.borrow();
  const LinearContext linear_context = context(*workspace);
  LinearMap map(linear_context, linear, "a projection");
  prepare_input({}, map.forms(), num_rows, input, *workspace);
  map.set_input(workspace->input, num_rows, workspace->low_rank[0]);

  const ElementwiseFunction activate = activation_function(activation);
  const TileGrid grid = matmul_grid(*pool_, num_rows, map.out_features(), map.tile_size());
  workspace->slots.reserve(pool_->num_threads(), map.scratch_size(grid.max_tile_size()));
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    float* const out = cpu(output).row(tile.row_begin) + tile.column_begin;
    map.apply(tile, out, output.columns(), workspace->slots.slot(slot));
    if (activate == nullptr) return;
    for (int64_t row = 0; row < tile.rows(); ++row) {
      activate(out + row * output.columns(), tile.columns());
    }
  });
}

void CpuBackend::add_projection(LinearMap& map, int64_t num_rows, Workspace& workspace,
                                CpuBuffer& hidden) {
  const TileGrid grid = matmul_grid(*pool_, num_rows, map.out_features(), map.tile_size());
  const int64_t tile_size = grid.max_tile_size();
  workspace.slots.reserve(pool_->num_threads(), tile_size + map.scratch_size(tile_size));
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    map.add_to(tile, hidden.row(tile.row_begin) + tile.column_begin, hidden.columns(),
               workspace.slots.slot(slot));
  });
}

void CpuBackend::project_add(const Linear& linear, int64_t num_rows, const Buffer& input,
                             Buffer& hidden) {
  const auto workspace = workspaces_.borrow();
  const LinearContext linear_context = context(*workspace);
  LinearMap map(linear_context, linear, "an output projection");
  prepare_input({}, map.forms(), num_rows, input, *workspace);
  map.set_input(workspace->input, num_rows, workspace->low_rank[0]);
  add_projection(map, num_rows, *workspace, cpu(hidden));
}

void CpuBackend::mlp(const MlpOp& op, int64_t num_rows, Buffer& hidden) {
  const auto workspace = workspaces_.borrow();
  const LinearContext linear_context = context(*workspace);
  LinearMap up(linear_context, op.up, "an MLP's up projection");
  LinearMap down(linear_context, op.down, "an MLP's down projection");
  std::optional<LinearMap> gate;
  MatmulForms forms = up.forms();
  if (op.gate) forms |= gate.emplace(linear_context, op.gate, "an MLP's gate projection").forms();
  prepare_input(op.norm, forms, num_rows, hidden, *workspace);
  up.set_input(workspace->input, num_rows, workspace->low_rank[0]);
  if (gate) gate->set_input(workspace->input, num_rows, workspace->low_rank[1]);

  const ElementwiseFunction activate = activation_function(op.activation);
  workspace->inner.reset(kernels_, down.forms(), num_rows, down.in_features());
  const TileGrid grid = matmul_grid(*pool_, num_rows, up.out_features(), up.tile_size(),
                                    workspace->inner.column_unit());
  const int64_t tile_size = grid.max_tile_size();
  workspace->slots.reserve(pool_->num_threads(), 3 * tile_size);
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    float* const values = workspace->slots.slot(slot);
    float* const gates = values + tile_size;
    float* const scratch = gates + tile_size;
    up.apply(tile, values, tile.columns(), scratch);
    if (gate) gate->apply(tile, gates, tile.columns(), scratch);
    const int64_t group_rows = workspace->inner.row_group();
    for (int64_t row = 0; row < tile.rows(); row += group_rows) {
      const Tile group{tile.row_begin + row,
                       std::min(tile.row_end, tile.row_begin + row + group_rows), tile.column_begin,
                       tile.column_end};
      const int64_t size = group.rows() * tile.columns();
      float* const inner = values + row * tile.columns();
      float* const activated = gate ? gates + row * tile.columns() : inner;
      if (activate != nullptr) activate(activated, size);
      if (gate) kernels_.multiply(activated, inner, size);
      workspace->inner.store(group, inner, tile.columns());
    }
  });
  down.set_input(workspace->inner, num_rows, workspace->low_rank[2]);
  add_projection(down, num_rows, *workspace, cpu(hidden));
}

}  // namespace aios
