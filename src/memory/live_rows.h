/// The vectors of a collection's memories, as a scan reads them, kept up to date by what changed.
///
/// For one thread at a time, within a read transaction.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>

#include "memory/catalog_writer.h"
#include "memory/vector_codes.h"

namespace aios {

/// One bit per row.
class RowBits {
 public:
  explicit RowBits(std::size_t size = 0, bool value = false)
      : words_((size + 63) / 64, value ? ~uint64_t{0} : 0) {
    if (value && size % 64 != 0) words_.back() >>= 64 - size % 64;
  }
  void set(std::size_t i) noexcept { words_[i / 64] |= uint64_t{1} << (i % 64); }
  void clear(std::size_t i) noexcept { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }
  [[nodiscard]] bool at(std::size_t i) const noexcept {
    return ((words_[i / 64] >> (i % 64)) & 1U) != 0;
  }
  /// Keeps those that are in both.
  void intersect(const RowBits& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  /// Removes those that are in the other.
  void subtract(const RowBits& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }
  /// The number set in [begin, end).
  [[nodiscard]] std::size_t count(std::size_t begin, std::size_t end) const noexcept;

 private:
  std::vector<uint64_t> words_;
};

/// Vectors that lie side by side: a row group of a segment, or some hot rows.
struct RowBlock {
  std::shared_ptr<const void> owner;  // of what the spans point at
  std::string segment_path;           // empty: hot
  std::size_t group = 0;              // of the segment
  std::span<const int64_t> sequences;
  std::span<const float> norms;
  std::span<const float> embeddings;
  RowBits live;
  std::shared_ptr<const std::vector<float>> factors;  // per row: `row_factors`, as a search made it
  std::array<std::shared_ptr<const VectorCodes>, 5> codes;  // by VectorPrecision, likewise
};

/// A segment's graph, whose row i is row i % rows_per_block of block first_block + i /
/// rows_per_block.
struct SegmentGraph {
  std::shared_ptr<const VectorGraph> graph;
  std::size_t first_block = 0;
  std::size_t num_blocks = 0;
  uint32_t rows_per_block = 0;
};

class LiveRows {
 public:
  LiveRows(Database& database, SegmentFiles& segments, const Collection& collection)
      : database_(database), segments_(segments), collection_(collection) {}

  /// Brings it to the state that the database's transaction sees. @throws IoError, FormatError
  void refresh();
  [[nodiscard]] const CollectionInfo& collection() const noexcept { return collection_.info; }
  [[nodiscard]] std::span<RowBlock> blocks() noexcept { return blocks_; }
  /// The graphs of the segments that have one. @throws IoError
  [[nodiscard]] std::span<const SegmentGraph> graphs();
  /// A bitmap per block of the rows among `sequences`, which ascend.
  [[nodiscard]] std::vector<RowBits> select(std::span<const int64_t> sequences) const;

 private:
  struct SealedBlocks {
    int64_t segment_id = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };

  void reload_segments();
  void add_hot_rows();
  void bury(int64_t sequence);

  Database& database_;
  SegmentFiles& segments_;
  Collection collection_;
  std::vector<RowBlock> blocks_;  // ascending by sequence: segments, then hot rows
  std::size_t num_sealed_blocks_ = 0;
  std::vector<SealedBlocks> sealed_;
  std::optional<std::vector<SegmentGraph>> graphs_;  // opened when first asked for
  int64_t generation_ = -1;
  int64_t last_tombstone_ = 0;
  int64_t last_sequence_ = 0;
};

}  // namespace aios
