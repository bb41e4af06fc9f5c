#include "memory/live_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

struct HotRows {
  std::vector<int64_t> sequences;
  std::vector<float> norms;
  std::vector<float> embeddings;
};

RowBlock block_of(const std::shared_ptr<const HotRows>& rows) {
  RowBlock block;
  block.owner = rows;
  block.sequences = rows->sequences;
  block.norms = rows->norms;
  block.embeddings = rows->embeddings;
  block.live = RowBits(rows->sequences.size(), true);
  return block;
}

/// The live rows of several hot blocks as one.
RowBlock merge(std::span<const RowBlock> blocks, std::size_t dimension) {
  auto rows = std::make_shared<HotRows>();
  for (const RowBlock& block : blocks) {
    for (std::size_t i = 0; i < block.sequences.size(); ++i) {
      if (!block.live.at(i)) continue;
      const auto embedding = block.embeddings.subspan(i * dimension, dimension);
      rows->sequences.push_back(block.sequences[i]);
      rows->norms.push_back(block.norms[i]);
      rows->embeddings.insert(rows->embeddings.end(), embedding.begin(), embedding.end());
    }
  }
  return block_of(rows);
}

}  // namespace

std::size_t RowBits::count(std::size_t begin, std::size_t end) const noexcept {
  std::size_t total = 0;
  for (std::size_t i = begin; i < end;) {
    const std::size_t rest = std::min(end - i, 64 - i % 64);
    const uint64_t mask = rest == 64 ? ~uint64_t{0} : (uint64_t{1} << rest) - 1;
    total += static_cast<std::size_t>(std::popcount((words_[i / 64] >> (i % 64)) & mask));
    i += rest;
  }
  return total;
}

void LiveRows::refresh() {
  const int64_t generation = query_integer(database_, "SELECT generation FROM state");
  if (generation != generation_) {
    generation_ = -1;  // until all is loaded
    reload_segments();
    last_sequence_ = 0;
    last_tombstone_ = 0;
  }
  add_hot_rows();
  Query tombstones(database_,
                   "SELECT tombstone_id, sequence FROM tombstone WHERE tombstone_id > ? AND "
                   "collection_id = ? ORDER BY tombstone_id");
  tombstones.bind(last_tombstone_).bind(collection_.id);
  while (tombstones.step()) {
    last_tombstone_ = tombstones.integer(0);
    bury(tombstones.integer(1));
  }
  generation_ = generation;
}

void LiveRows::reload_segments() {
  std::map<std::pair<std::string, std::size_t>, RowBlock> old;  // their codes can be kept
  for (RowBlock& block : blocks_) {
    if (!block.segment_path.empty()) old[{block.segment_path, block.group}] = std::move(block);
  }
  blocks_.clear();
  sealed_.clear();
  graphs_.reset();
  std::vector<int64_t> ids;
  {
    Query query(database_,
                "SELECT segment_id FROM segment WHERE collection_id = ? ORDER BY first_sequence");
    query.bind(collection_.id);
    while (query.step()) ids.push_back(query.integer(0));
  }
  for (const int64_t id : ids) {
    const auto segment = segments_.open(id);
    if (segment->collection().dimension != collection_.info.dimension) {
      throw StorageError("'" + segment->path() +
                         "' has vectors of another dimension than its collection; run aios memory "
                         "repair on its folder");
    }
    sealed_.push_back({id, blocks_.size(), segment->groups().size()});
    for (std::size_t i = 0; i < segment->groups().size(); ++i) {
      const MemorySegment::Group& group = segment->groups()[i];
      RowBlock block;
      if (auto kept = old.find({segment->path(), i}); kept != old.end()) {
        block = std::move(kept->second);
      }
      block.owner = segment;
      block.segment_path = segment->path();
      block.group = i;
      block.sequences = group.sequences;
      block.norms = group.norms;
      block.embeddings = group.embeddings;
      block.live = RowBits(group.sequences.size(), true);
      blocks_.push_back(std::move(block));
    }
  }
  num_sealed_blocks_ = blocks_.size();
}

std::span<const SegmentGraph> LiveRows::graphs() {
  if (graphs_) return *graphs_;
  graphs_.emplace();
  for (const SealedBlocks& sealed : sealed_) {
    const auto blocks = std::span(blocks_).subspan(sealed.first, sealed.count);
    if (blocks.empty()) continue;
    const std::size_t size = blocks.front().sequences.size();
    const bool even = std::all_of(blocks.begin(), blocks.end() - 1, [&](const RowBlock& block) {
      return block.sequences.size() == size;
    });
    auto graph = even ? segments_.graph(sealed.segment_id) : nullptr;
    if (graph == nullptr) continue;
    graphs_->push_back({std::move(graph), sealed.first, sealed.count, static_cast<uint32_t>(size)});
  }
  return *graphs_;
}

void LiveRows::add_hot_rows() {
  const auto dimension = static_cast<std::size_t>(collection_.info.dimension);
  auto rows = std::make_shared<HotRows>();
  Query query(database_,
              "SELECT sequence, embedding FROM hot WHERE sequence > ? AND collection_id = ? "
              "ORDER BY sequence");
  query.bind(last_sequence_).bind(collection_.id);
  while (query.step()) {
    const std::span<const std::byte> blob = query.blob(1);
    if (blob.size() != dimension * sizeof(float)) {
      throw StorageError("'" + database_.path() +
                         "' has a vector of another dimension than its collection; run aios memory "
                         "repair on its folder");
    }
    last_sequence_ = query.integer(0);
    rows->sequences.push_back(last_sequence_);
    rows->embeddings.resize(rows->embeddings.size() + dimension);
    float* const embedding = rows->embeddings.data() + rows->embeddings.size() - dimension;
    std::memcpy(embedding, blob.data(), blob.size());
    rows->norms.push_back(embedding_norm({embedding, dimension}));
  }
  if (rows->sequences.empty()) return;
  blocks_.push_back(block_of(rows));
  constexpr std::size_t kMaxHotBlocks = 16;  // so that a row is copied seldom
  if (blocks_.size() - num_sealed_blocks_ <= kMaxHotBlocks) return;
  RowBlock merged = merge(std::span(blocks_).subspan(num_sealed_blocks_), dimension);
  blocks_.resize(num_sealed_blocks_);
  blocks_.push_back(std::move(merged));
}

void LiveRows::bury(int64_t sequence) {
  const auto block = std::lower_bound(
      blocks_.begin(), blocks_.end(), sequence, [](const RowBlock& rows, int64_t value) {
        return rows.sequences.empty() || rows.sequences.back() < value;
      });
  if (block == blocks_.end()) return;  // it was hot, and is gone
  const auto row = std::lower_bound(block->sequences.begin(), block->sequences.end(), sequence);
  if (*row == sequence) block->live.clear(static_cast<std::size_t>(row - block->sequences.begin()));
}

std::vector<RowBits> LiveRows::select(std::span<const int64_t> sequences) const {
  std::vector<RowBits> selected;
  auto next = sequences.begin();
  for (const RowBlock& block : blocks_) {
    RowBits& bits = selected.emplace_back(block.sequences.size());
    auto row = block.sequences.begin();
    while (next != sequences.end() && row != block.sequences.end()) {
      if (*next < *row) {
        next = std::lower_bound(next, sequences.end(), *row);
      } else if (*row < *next) {
        row = std::lower_bound(row, block.sequences.end(), *next);
      } else {
        bits.set(static_cast<std::size_t>(row - block.sequences.begin()));
        ++row;
        ++next;
      }
    }
    bits.intersect(block.live);
  }
  return selected;
}

}  // namespace aios
