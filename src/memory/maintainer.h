/// Keeps a store small and quick: seals hot rows into segments, merges segments, builds their
/// graphs, erases.
///
/// Its calls take turns among themselves, but that a seal does not wait for a merge, which may take
/// seconds: hot rows would pile up meanwhile. They hold the write lock only while they touch the
/// catalogue; segments are written without it. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "aios/memory.h"
#include "base/thread_pool.h"
#include "memory/catalog_writer.h"

namespace aios {

/// Removes the segment files that the catalogue does not name, and temporary ones. Nothing may
/// write segments meanwhile.
void remove_leftovers(Database& database, SegmentFiles& segments);

class Maintainer {
 public:
  /// A segment as the catalogue will know it.
  struct NewSegment {
    int64_t id = 0;
    int64_t collection_id = 0;
    int64_t num_rows = 0;
    int64_t num_bytes = 0;
    int64_t first_sequence = 0;
    int64_t last_sequence = 0;
  };

  /// Borrows all three.
  Maintainer(Database& database, std::mutex& write_mutex, SegmentFiles& segments,
             const StorageConfig& config)
      : database_(database),
        snapshot_(database.path(), DatabaseMode::kReadOnly),
        write_mutex_(write_mutex),
        segments_(segments),
        config_(config) {}

  /// Moves all hot rows of collections with at least `min_rows` of them into segments.
  void seal(int64_t min_rows);
  /// One step of what is most needed: merges neighbours of similar size, or rewrites a segment
  /// whose dead rows are too many; seals what becomes due meanwhile. @return false if nothing is
  /// needed
  bool compact_step();
  /// Gives graphs to the segments that want one and have none that is sound, one after another,
  /// until `interrupted` says so or a segment is rewritten meanwhile. Searches go on without them.
  /// @param num_threads 0: one per physical core
  void build_graphs(int num_threads, FunctionRef<bool()> interrupted);
  /// Rewrites every segment that has dead rows.
  void purge_dead_rows();
  /// Also rewrites text index and catalogue, so that nothing of removed rows is left in any file.
  /// @throws StorageError if a reader keeps an older snapshot too long
  void erase_traces();
  [[nodiscard]] bool erasure_pending();
  /// Puts the new vectors of a re-embedding in place of all others, in one commit.
  /// @return false if a memory has none yet: nothing was changed then
  bool switch_embeddings(const std::string& collection);
  /// Moves the log into the catalogue and empties it. Waits up to ten seconds for reads of an older
  /// snapshot to end, while nothing is written. @throws StorageError as `erase_traces`
  void empty_log();
  /// Gives back what the catalogue does not need: builds it anew if more than a fifth of it is
  /// free, or a fifth as many rows were removed as there are, and empties the log unless a reader
  /// needs it.
  void shrink();

 private:
  struct Segment {
    int64_t id;
    int64_t collection_id;
    int64_t num_rows;
    int64_t num_dead;
    int64_t first_sequence;
    int64_t last_sequence;
  };
  struct HotRow {
    int64_t sequence = 0;
    Memory memory;
  };
  [[nodiscard]] std::vector<Collection> collections_with(int64_t min_rows);
  /// A number for a segment that is to be written: others may be written at the same time.
  [[nodiscard]] int64_t reserve_segment_id();
  void seal_collection(const Collection& collection);
  void write_hot_rows(const Collection& collection, int64_t last, NewSegment& segment);
  /// Some hot rows behind `after`, up to `last`, ascending; none: there are no more.
  [[nodiscard]] std::vector<HotRow> read_hot_rows(int64_t collection_id, int64_t after,
                                                  int64_t last);
  [[nodiscard]] bool every_memory_has_a_new_embedding(int64_t collection_id);
  /// Writes a segment's rows with their new vectors; `num_rows` 0: none had one, no file.
  [[nodiscard]] NewSegment write_reembedded(const Segment& old, const CollectionInfo& info,
                                            int64_t id);
  void commit_switch(const Collection& collection, const CollectionInfo& next,
                     const std::vector<Segment>& old, const std::vector<NewSegment>& segments);
  void rebuild_catalog();
  /// @return false if a reader needs the log
  [[nodiscard]] bool try_to_empty_log();
  [[nodiscard]] std::vector<Segment> list_segments(int64_t collection_id);
  [[nodiscard]] std::vector<Segment> find_run(const std::vector<Segment>& segments) const;
  [[nodiscard]] std::vector<Segment> find_pair(const std::vector<Segment>& segments) const;
  /// @param pause called now and then, without the write lock
  void rewrite(const Collection& collection, const std::vector<Segment>& run,
               FunctionRef<void()> pause);
  [[nodiscard]] std::vector<int64_t> segments_without_graph();
  bool build_graph_of(int64_t segment_id, ThreadPool& pool, FunctionRef<bool()> interrupted);
  [[nodiscard]] bool is_current(int64_t segment_id);

  Database& database_;
  Database snapshot_;  // reads hot rows without the write lock; used under sealing_
  std::mutex& write_mutex_;
  SegmentFiles& segments_;
  const StorageConfig& config_;
  // Taken in this order, before write_mutex_. A seal has the second, a merge the first, and what
  // must see segments that nobody is writing has both.
  std::mutex turn_;
  std::mutex sealing_;
  int64_t last_reserved_id_ = 0;  // under write_mutex_
  std::atomic<int64_t> num_rewrites_ = 0;
};

/// What the file of a segment says of its collection.
[[nodiscard]] SegmentCollection segment_collection(const CollectionInfo& info);
/// The id that no segment has had.
[[nodiscard]] int64_t next_segment_id(Database& database);
void insert_segment(Database& database, const Maintainer::NewSegment& segment);

}  // namespace aios
