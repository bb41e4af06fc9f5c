/// Attention of the CPU backend.
#include <algorithm>
#include <numeric>

#include "backend/cpu/cpu_backend_impl.h"

namespace aios {
namespace {

/// One of the query, key and value projections of a layer.
struct HeadProjection {
  LinearMap map;
  CpuBuffer* out;
  RowNorm norm;               // over each head, or none
  const RotaryTable* rotary;  // or null
  int64_t head_dim;
  TileGrid grid{0, 0, 1, 1};  // of whole heads

  /// Computes a tile of whole heads.
  void apply(const Kernels& kernels, const Tile& tile, float* scratch) const noexcept {
    const int64_t stride = out->columns();
    map.apply(tile, out->row(tile.row_begin) + tile.column_begin, stride, scratch);
    for (int64_t row = tile.row_begin; row < tile.row_end; ++row) {
      for (int64_t column = tile.column_begin; column < tile.column_end; column += head_dim) {
        float* const head = out->row(row) + column;
        if (norm) norm.apply(head, head);
        if (rotary == nullptr) continue;
        kernels.rotate(rotary->cosines(row), rotary->sines(row), head, rotary->half());
      }
    }
  }
};

/// The keys that a query sees: always a stretch.
struct VisibleRange {
  int64_t begin, end;
};

VisibleRange visible_range(const AttentionOp& op, int64_t query, int64_t num_keys) {
  VisibleRange range{0, num_keys};
  if (op.kind == AttentionKind::kCausal) range.end = query + 1;
  if (op.kind == AttentionKind::kBlockCausal) {
    range.end = (query / op.block_length + 1) * op.block_length;
  }
  range.end = std::min(range.end, num_keys);
  if (op.sliding_window > 0) range.begin = std::max<int64_t>(0, query - op.sliding_window + 1);
  return range;
}

/// Query rows (queries times heads of the group) of a block: enough to use transposed keys often,
/// few enough to keep their scores in the second-level cache.
constexpr int64_t kMaxRowsPerBlock = 96;
constexpr int64_t kMinRowsPerBlock = 24;
constexpr int64_t kScoresPerBlock = 128 * 1024;

int64_t queries_per_block(const AttentionOp& op, int64_t max_keys) {
  const int64_t group_size = op.num_attention_heads / op.num_key_value_heads;
  const int64_t rows = std::clamp(kScoresPerBlock / std::max<int64_t>(max_keys, 1),
                                  kMinRowsPerBlock, kMaxRowsPerBlock);
  return std::max<int64_t>(rows / group_size, 1);
}

void cut_into_blocks(const AttentionOp& op, std::span<const int32_t> starts,
                     std::span<const KeyValueRange> ranges, int64_t block_size,
                     std::vector<AttentionBlock>& blocks) {
  blocks.clear();
  for (std::size_t sequence = 0; sequence < ranges.size(); ++sequence) {
    const int64_t begin = starts[sequence];
    const int64_t end = starts[sequence + 1];
    for (int64_t head = 0; head < op.num_key_value_heads; ++head) {
      for (int64_t row = begin; row < end; row += block_size) {
        blocks.push_back({.query_row = row,
                          .query_position = ranges[sequence].query_offset + row - begin,
                          .num_queries = std::min(block_size, end - row),
                          .range = &ranges[sequence],
                          .key_value_head = head});
      }
    }
  }
}

void attend_block(const Kernels& kernels, const AttentionOp& op, const AttentionBlock& block,
                  const CpuBuffer& query, CpuBuffer& output, float* scratch) noexcept {
  const KeyValueRange& range = *block.range;
  const int64_t group_size = op.num_attention_heads / op.num_key_value_heads;
  const int64_t query_column = block.key_value_head * group_size * op.head_dim;
  const int64_t key_column = block.key_value_head * op.head_dim;
  int32_t visible_begin[kMaxRowsPerBlock];
  int32_t visible_end[kMaxRowsPerBlock];
  int64_t num_keys = 0;
  for (int64_t i = 0; i < block.num_queries; ++i) {
    const VisibleRange visible = visible_range(op, block.query_position + i, range.num_rows);
    visible_begin[i] = static_cast<int32_t>(visible.begin);
    visible_end[i] = static_cast<int32_t>(visible.end);
    num_keys = std::max(num_keys, visible.end);
  }
  kernels.attention({.query = query.row(block.query_row) + query_column,
                     .query_stride = query.columns(),
                     .key = cpu(*range.keys).row(range.first_row) + key_column,
                     .key_stride = range.keys->columns(),
                     .value = cpu(*range.values).row(range.first_row) + key_column,
                     .value_stride = range.values->columns(),
                     .out = output.row(block.query_row) + query_column,
                     .out_stride = output.columns(),
                     .visible_begin = visible_begin,
                     .visible_end = visible_end,
                     .num_queries = block.num_queries,
                     .group_size = group_size,
                     .num_keys = num_keys,
                     .head_dim = op.head_dim,
                     .scale = op.scale,
                     .scratch = scratch});
}

}  // namespace

void CpuBackend::attention_input(const AttentionInputOp& op, std::span<const int32_t> positions,
                                 const Buffer& hidden, Buffer& query, Buffer& key, Buffer& value) {
  const auto num_rows = static_cast<int64_t>(positions.size());
  const auto workspace = workspaces_.borrow();
  const LinearContext linear_context = context(*workspace);
  RotaryTable* const rotary = op.rotary == nullptr ? nullptr : &workspace->rotary;
  if (rotary != nullptr) rotary->update(*op.rotary, positions);
  const RowNorm query_norm(kernels_, op.query_norm, op.head_dim);
  const RowNorm key_norm(kernels_, op.key_norm, op.head_dim);
  HeadProjection projections[] = {
      {{linear_context, op.query, "a query projection"},
       &cpu(query),
       query_norm,
       rotary,
       op.head_dim},
      {{linear_context, op.key, "a key projection"}, &cpu(key), key_norm, rotary, op.head_dim},
      {{linear_context, op.value, "a value projection"},
       &cpu(value),
       RowNorm(),
       nullptr,
       op.head_dim}};
  MatmulForms forms;
  for (const HeadProjection& projection : projections) forms |= projection.map.forms();
  prepare_input(op.norm, forms, num_rows, hidden, *workspace);

  int64_t num_tiles = 0;
  int64_t scratch_size = 0;
  for (std::size_t i = 0; i < std::size(projections); ++i) {
    LinearMap& map = projections[i].map;
    TileGrid& grid = projections[i].grid;
    map.set_input(workspace->input, num_rows, workspace->low_rank[i]);
    grid = matmul_grid(*pool_, num_rows, map.out_features(), map.tile_size(),
                       std::lcm<int64_t>(op.head_dim, map.column_unit()));
    num_tiles += grid.num_tiles();
    scratch_size = std::max(scratch_size, map.scratch_size(grid.max_tile_size()));
  }
  workspace->slots.reserve(pool_->num_threads(), scratch_size);
  for_each_item(*pool_, num_tiles, [&](int64_t item, int64_t slot) {
    const HeadProjection* projection = projections;
    for (; item >= projection->grid.num_tiles(); ++projection) item -= projection->grid.num_tiles();
    projection->apply(kernels_, projection->grid.tile(item), workspace->slots.slot(slot));
  });
}

void CpuBackend::attend(const AttentionOp& op, std::span<const int32_t> starts,
                        std::span<const KeyValueRange> ranges, const Buffer& query,
                        Buffer& output) {
  int64_t max_keys = 0;
  for (const KeyValueRange& range : ranges) max_keys = std::max(max_keys, range.num_rows);
  const int64_t block_size = queries_per_block(op, max_keys);
  const auto workspace = workspaces_.borrow();
  std::vector<AttentionBlock>& blocks = workspace->attention_blocks;
  cut_into_blocks(op, starts, ranges, block_size, blocks);
  workspace->slots.reserve(
      pool_->num_threads(),
      attention_scratch_size(block_size, op.num_attention_heads / op.num_key_value_heads, max_keys,
                             op.head_dim));
  for_each_item(*pool_, static_cast<int64_t>(blocks.size()), [&](int64_t item, int64_t slot) {
    attend_block(kernels_, op, blocks[static_cast<std::size_t>(item)], cpu(query), cpu(output),
                 workspace->slots.slot(slot));
  });
}

}  // namespace aios
