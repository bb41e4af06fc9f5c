/// Attention of the CPU backend.
#include <algorithm>
#include <limits>

#include "backend/cpu/cpu_backend_impl.h"

namespace aios {
namespace {

/// The query, key and value heads of one layer, numbered through in this order.
struct HeadSlice {
  const LinearMap* map;
  CpuBuffer* out;
  const RowNorm* norm;  // over the head; null: none
  bool rotates;
  int64_t column;  // of the head's first dimension
};

HeadSlice head_slice(const HeadSlice (&projections)[3], int64_t head, int64_t head_dim) {
  HeadSlice slice = projections[0];
  for (const HeadSlice& projection : projections) {
    const int64_t num_heads = projection.map->out_features() / head_dim;
    slice = projection;
    if (head < num_heads) break;
    head -= num_heads;
  }
  slice.column = head * head_dim;
  return slice;
}

/// A block of queries of one sequence, with all query heads of one key-value head.
struct AttentionBlock {
  int64_t query_row;       // of the first query in the packed rows
  int64_t query_position;  // of the first query among the sequence's keys
  int64_t num_queries;
  const KeyValueRange* range;
  int64_t key_value_head;
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

constexpr int64_t kMaxQueriesPerBlock = 32;
/// Query rows of a block: enough to use a key again while it is in the first-level cache.
constexpr int64_t kRowsPerBlock = 48;

int64_t queries_per_block(const AttentionOp& op) {
  const int64_t group_size = op.num_attention_heads / op.num_key_value_heads;
  return std::clamp<int64_t>(kRowsPerBlock / group_size, 1, kMaxQueriesPerBlock);
}

std::vector<AttentionBlock> cut_into_blocks(const AttentionOp& op, std::span<const int32_t> starts,
                                            std::span<const KeyValueRange> ranges) {
  std::vector<AttentionBlock> blocks;
  const int64_t block_size = queries_per_block(op);
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
  return blocks;
}

void attend_block(const Kernels& kernels, const AttentionOp& op, const AttentionBlock& block,
                  const CpuBuffer& query, CpuBuffer& output, float* scratch) noexcept {
  const KeyValueRange& range = *block.range;
  const int64_t group_size = op.num_attention_heads / op.num_key_value_heads;
  const int64_t query_column = block.key_value_head * group_size * op.head_dim;
  const int64_t key_column = block.key_value_head * op.head_dim;
  VisibleRange all{std::numeric_limits<int64_t>::max(), 0};
  VisibleRange visible[kMaxQueriesPerBlock];
  for (int64_t i = 0; i < block.num_queries; ++i) {
    visible[i] = visible_range(op, block.query_position + i, range.num_rows);
    all = {std::min(all.begin, visible[i].begin), std::max(all.end, visible[i].end)};
  }
  int32_t visible_begin[kMaxQueriesPerBlock];
  int32_t visible_end[kMaxQueriesPerBlock];
  for (int64_t i = 0; i < block.num_queries; ++i) {
    visible_begin[i] = static_cast<int32_t>(visible[i].begin);
    visible_end[i] = static_cast<int32_t>(visible[i].end);
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
                     .num_keys = all.end,
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
  workspace->low_rank.resize(std::max<std::size_t>(workspace->low_rank.size(), 3));
  LinearMap query_map(linear_context, op.query, "a query projection");
  LinearMap key_map(linear_context, op.key, "a key projection");
  LinearMap value_map(linear_context, op.value, "a value projection");
  const RowNorm query_norm(kernels_, op.query_norm, op.head_dim);
  const RowNorm key_norm(kernels_, op.key_norm, op.head_dim);
  MatmulForms forms = query_map.forms();
  forms |= key_map.forms();
  forms |= value_map.forms();
  prepare_input(op.norm, forms, num_rows, hidden, *workspace);
  query_map.set_input(workspace->input, num_rows, workspace->low_rank[0]);
  key_map.set_input(workspace->input, num_rows, workspace->low_rank[1]);
  value_map.set_input(workspace->input, num_rows, workspace->low_rank[2]);
  RotaryTable& rotary = workspace->rotary;
  if (op.rotary != nullptr) rotary.update(*op.rotary, positions);

  const HeadSlice projections[3] = {{&query_map, &cpu(query), &query_norm, true, 0},
                                    {&key_map, &cpu(key), &key_norm, true, 0},
                                    {&value_map, &cpu(value), nullptr, false, 0}};
  const int64_t num_heads = op.num_attention_heads + 2 * op.num_key_value_heads;
  const TileGrid grid =
      matmul_grid(*pool_, num_rows, num_heads * op.head_dim, hidden.columns(), op.head_dim);
  workspace->slots.reserve(pool_->num_threads(), grid.max_tile_size());
  for_each_item(*pool_, grid.num_tiles(), [&](int64_t item, int64_t slot) {
    const Tile tile = grid.tile(item);
    for (int64_t column = tile.column_begin; column < tile.column_end; column += op.head_dim) {
      const HeadSlice head = head_slice(projections, column / op.head_dim, op.head_dim);
      const int64_t stride = head.out->columns();
      float* const out = head.out->row(tile.row_begin) + head.column;
      head.map->apply({tile.row_begin, tile.row_end, head.column, head.column + op.head_dim}, out,
                      stride, workspace->slots.slot(slot));
      for (int64_t row = 0; row < tile.rows(); ++row) {
        float* const values = out + row * stride;
        if (head.norm != nullptr && *head.norm) head.norm->apply(values, values);
        if (head.rotates && op.rotary != nullptr) {
          const int64_t position = tile.row_begin + row;
          kernels_.rotate(rotary.cosines(position), rotary.sines(position), values, rotary.half());
        }
      }
    }
  });
}

void CpuBackend::attend(const AttentionOp& op, std::span<const int32_t> starts,
                        std::span<const KeyValueRange> ranges, const Buffer& query,
                        Buffer& output) {
  int64_t max_keys = 0;
  for (const KeyValueRange& range : ranges) max_keys = std::max(max_keys, range.num_rows);
  const std::vector<AttentionBlock> blocks = cut_into_blocks(op, starts, ranges);
  const auto workspace = workspaces_.borrow();
  workspace->slots.reserve(
      pool_->num_threads(),
      attention_scratch_size(queries_per_block(op), op.num_attention_heads / op.num_key_value_heads,
                             max_keys, op.head_dim));
  for_each_item(*pool_, static_cast<int64_t>(blocks.size()), [&](int64_t item, int64_t slot) {
    attend_block(kernels_, op, blocks[static_cast<std::size_t>(item)], cpu(query), cpu(output),
                 workspace->slots.slot(slot));
  });
}

}  // namespace aios
