#include "memory/maintainer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>

#include "aios/error.h"
#include "memory/text_index.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_segment_writer.h"

namespace aios {
namespace {

int64_t last_tombstone(Database& database) {
  return query_integer(database, "SELECT coalesce(max(tombstone_id), 0) FROM tombstone");
}

}  // namespace

SegmentCollection segment_collection(const CollectionInfo& info) {
  return {info.name, info.dimension, std::string(metric_name(info.metric)), info.embedding_model};
}

int64_t next_segment_id(Database& database) {
  return query_integer(database, "SELECT seq FROM sqlite_sequence WHERE name = 'segment'") + 1;
}

void insert_segment(Database& database, const Maintainer::NewSegment& segment) {
  Query insert(database,
               "INSERT INTO segment(segment_id, collection_id, num_rows, num_bytes, "
               "first_sequence, last_sequence) VALUES(?, ?, ?, ?, ?, ?)");
  insert.bind(segment.id).bind(segment.collection_id).bind(segment.num_rows);
  insert.bind(segment.num_bytes).bind(segment.first_sequence).bind(segment.last_sequence).run();
}

void remove_leftovers(Database& database, SegmentFiles& segments) {
  std::set<int64_t> current;
  Query query(database, "SELECT segment_id FROM segment");
  while (query.step()) current.insert(query.integer(0));
  segments.remove_all_but(current);
}

void Maintainer::seal(int64_t min_rows) {
  if (collections_with(min_rows).empty()) return;  // without waiting for who seals
  const std::lock_guard sealing(sealing_);
  for (const Collection& collection : collections_with(min_rows)) seal_collection(collection);
}

/// The collections with at least `min_rows` hot rows, and one.
std::vector<Collection> Maintainer::collections_with(int64_t min_rows) {
  const std::lock_guard lock(write_mutex_);
  std::vector<Collection> collections = list_collections(database_);
  std::erase_if(collections, [&](const Collection& collection) {
    Query count(database_, "SELECT count(*) FROM hot WHERE collection_id = ?");
    count.bind(collection.id).step();
    return count.integer(0) < std::max<int64_t>(min_rows, 1);
  });
  return collections;
}

int64_t Maintainer::reserve_segment_id() {
  const std::lock_guard lock(write_mutex_);
  last_reserved_id_ = std::max(last_reserved_id_ + 1, next_segment_id(database_));
  return last_reserved_id_;
}

/// Hot rows are read without the write lock, through a connection of its own, so that commits go
/// on: rows do not change, new ones lie behind `last`, and one that is removed meanwhile leaves a
/// tombstone.
void Maintainer::seal_collection(const Collection& collection) {
  NewSegment segment{reserve_segment_id(), collection.id};
  int64_t tombstone = 0;
  int64_t last = 0;
  {
    const Transaction moment(snapshot_, Transaction::Kind::kRead);
    tombstone = last_tombstone(snapshot_);
    Query query(snapshot_, "SELECT coalesce(max(sequence), 0) FROM hot WHERE collection_id = ?");
    query.bind(collection.id).step();
    last = query.integer(0);
  }
  write_hot_rows(collection, last, segment);
  if (segment.num_rows == 0) return;
  const std::lock_guard lock(write_mutex_);
  Transaction transaction(database_, Transaction::Kind::kWrite);
  insert_segment(database_, segment);
  Query hot(database_, "DELETE FROM hot WHERE collection_id = ? AND sequence <= ?");
  hot.bind(collection.id).bind(last).run();
  Query earlier(database_,
                "DELETE FROM tombstone WHERE collection_id = ? AND in_segment = 0 AND "
                "tombstone_id <= ?");
  earlier.bind(collection.id).bind(tombstone).run();
  Query meanwhile(
      database_,
      "UPDATE tombstone SET in_segment = 1 WHERE collection_id = ? AND sequence BETWEEN "
      "? AND ?");
  meanwhile.bind(collection.id).bind(segment.first_sequence).bind(segment.last_sequence).run();
  database_.execute("UPDATE state SET generation = generation + 1");
  transaction.commit();
}

/// Writes the segment's file, if there are rows up to `last`, and what is in it into `segment`.
void Maintainer::write_hot_rows(const Collection& collection, int64_t last, NewSegment& segment) {
  MemorySegmentWriter writer(segments_.path_of(segment.id), segment_collection(collection.info),
                             MemoryFileKind::kSegment);
  while (true) {
    const std::vector<HotRow> rows = read_hot_rows(collection.id, segment.last_sequence, last);
    if (rows.empty()) break;
    if (segment.num_rows == 0) segment.first_sequence = rows.front().sequence;
    segment.last_sequence = rows.back().sequence;
    for (const HotRow& row : rows) writer.add(to_row(row.memory, row.sequence));
    segment.num_rows = writer.num_rows();
  }
  if (segment.num_rows > 0) segment.num_bytes = writer.finish();
}

/// A read that lasts while a segment is written would keep the log from being used again.
std::vector<Maintainer::HotRow> Maintainer::read_hot_rows(int64_t collection_id, int64_t after,
                                                          int64_t last) {
  constexpr std::size_t kMaxRows = 1024;
  constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20U;
  Query query(snapshot_,
              "SELECT sequence, memory_id, timestamp, expires_at, content, category, source, "
              "quality_score, extra, embedding FROM hot JOIN memory USING(sequence) "
              "WHERE hot.collection_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence");
  query.bind(collection_id).bind(after).bind(last);
  std::vector<HotRow> rows;
  std::size_t num_text_bytes = 0;
  while (rows.size() < kMaxRows && num_text_bytes < kMaxTextBytes && query.step()) {
    HotRow& row = rows.emplace_back();
    row.sequence = query.integer(0);
    row.memory.memory_id = query.text(1);
    row.memory.timestamp = query.integer(2);
    row.memory.expires_at = query.optional_integer(3);
    row.memory.content = query.text(4);
    row.memory.metadata = {std::string(query.text(5)), std::string(query.text(6)),
                           static_cast<float>(query.real(7)), std::string(query.text(8))};
    row.memory.embedding.resize(query.blob(9).size() / sizeof(float));
    std::memcpy(row.memory.embedding.data(), query.blob(9).data(),
                row.memory.embedding.size() * sizeof(float));
    num_text_bytes += row.memory.content.size();
  }
  return rows;
}

std::vector<Maintainer::Segment> Maintainer::list_segments(int64_t collection_id) {
  std::vector<Segment> segments;
  Query query(database_,
              "SELECT segment_id, collection_id, num_rows, first_sequence, last_sequence, "
              "(SELECT count(*) FROM tombstone WHERE tombstone.collection_id = "
              "segment.collection_id AND in_segment = 1 AND sequence BETWEEN first_sequence AND "
              "last_sequence) FROM segment WHERE collection_id = ? ORDER BY first_sequence");
  query.bind(collection_id);
  while (query.step()) {
    segments.push_back({query.integer(0), query.integer(1), query.integer(2), query.integer(5),
                        query.integer(3), query.integer(4)});
  }
  return segments;
}

std::vector<Maintainer::Segment> Maintainer::find_pair(const std::vector<Segment>& segments) const {
  constexpr int64_t kMaxSmall = 8;
  const int64_t num_small = std::count_if(
      segments.begin(), segments.end(),
      [&](const Segment& segment) { return 2 * segment.num_rows < config_.max_segment_rows; });
  if (num_small <= kMaxSmall) return {};
  std::size_t best = 0;
  int64_t fewest = config_.max_segment_rows + 1;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const int64_t sum = segments[i].num_rows + segments[i + 1].num_rows;
    if (sum >= fewest) continue;
    best = i;
    fewest = sum;
  }
  if (fewest > config_.max_segment_rows) return {};
  return {segments[best], segments[best + 1]};
}

/// The longest row of at least four neighbours of at most four times the size of the smallest that
/// fit one segment; else, where sizes that go up and down left more than eight that are not half
/// full, the smallest two neighbours; else a segment of which a fifth is dead; else none. So every
/// row is rewritten about log4(rows / seal_rows) times.
std::vector<Maintainer::Segment> Maintainer::find_run(const std::vector<Segment>& segments) const {
  constexpr std::size_t kMinRun = 4;
  constexpr int64_t kSizeRatio = 4;
  constexpr int64_t kMaxDeadShare = 5;
  std::size_t best_begin = 0;
  std::size_t best_size = 0;
  for (std::size_t begin = 0; begin < segments.size(); ++begin) {
    int64_t smallest = segments[begin].num_rows;
    int64_t largest = smallest;
    int64_t sum = 0;
    std::size_t end = begin;
    for (; end < segments.size(); ++end) {
      smallest = std::min(smallest, segments[end].num_rows);
      largest = std::max(largest, segments[end].num_rows);
      sum += segments[end].num_rows;
      if (sum > config_.max_segment_rows || largest >= kSizeRatio * smallest) break;
    }
    if (end - begin > best_size) {
      best_begin = begin;
      best_size = end - begin;
    }
  }
  const auto first = segments.begin() + static_cast<std::ptrdiff_t>(best_begin);
  if (best_size >= kMinRun) return {first, first + static_cast<std::ptrdiff_t>(best_size)};
  if (const auto pair = find_pair(segments); !pair.empty()) return pair;
  for (const Segment& segment : segments) {
    if (kMaxDeadShare * segment.num_dead >= segment.num_rows) return {segment};
  }
  return {};
}

bool Maintainer::compact_step() {
  const std::lock_guard turn(turn_);
  std::vector<Segment> run;
  Collection chosen;
  {
    const std::lock_guard lock(write_mutex_);
    for (const Collection& collection : list_collections(database_)) {
      run = find_run(list_segments(collection.id));
      chosen = collection;
      if (!run.empty()) break;
    }
  }
  if (run.empty()) return false;
  rewrite(chosen, run, [&] { seal(config_.seal_rows); });
  return true;
}

/// Writes the live rows of neighbouring segments into one, and swaps it in.
void Maintainer::rewrite(const Collection& collection, const std::vector<Segment>& run,
                         FunctionRef<void()> pause) {
  constexpr int64_t kRowsPerPause = 4096;
  ++num_rewrites_;
  NewSegment segment{reserve_segment_id(), collection.id};
  int64_t tombstone = 0;
  std::set<int64_t> dead;
  {
    const std::lock_guard lock(write_mutex_);
    tombstone = last_tombstone(database_);
    Query query(database_,
                "SELECT sequence FROM tombstone WHERE collection_id = ? AND in_segment = 1 AND "
                "sequence BETWEEN ? AND ?");
    query.bind(collection.id).bind(run.front().first_sequence).bind(run.back().last_sequence);
    while (query.step()) dead.insert(query.integer(0));
  }
  {
    MemorySegmentWriter writer(segments_.path_of(segment.id), segment_collection(collection.info),
                               MemoryFileKind::kSegment);
    int64_t num_read = 0;
    for (const Segment& old : run) {
      read_memory_file(segments_.path_of(old.id), [&](const MemoryRow& row) {
        if (++num_read % kRowsPerPause == 0) pause();
        if (dead.contains(row.sequence)) return;
        if (writer.num_rows() == 0) segment.first_sequence = row.sequence;
        segment.last_sequence = row.sequence;
        writer.add(row);
      });
    }
    segment.num_rows = writer.num_rows();
    if (segment.num_rows > 0) segment.num_bytes = writer.finish();
  }
  {
    const std::lock_guard lock(write_mutex_);
    Transaction transaction(database_, Transaction::Kind::kWrite);
    for (const Segment& old : run) {
      Query remove(database_, "DELETE FROM segment WHERE segment_id = ?");
      remove.bind(old.id).run();
    }
    if (segment.num_rows > 0) insert_segment(database_, segment);
    Query tombstones(database_,
                     "DELETE FROM tombstone WHERE collection_id = ? AND in_segment = 1 AND "
                     "tombstone_id <= ? AND sequence BETWEEN ? AND ?");
    tombstones.bind(collection.id).bind(tombstone);
    tombstones.bind(run.front().first_sequence).bind(run.back().last_sequence).run();
    database_.execute("UPDATE state SET generation = generation + 1");
    transaction.commit();
  }
  for (const Segment& old : run) segments_.remove(old.id);
}

void Maintainer::purge_dead_rows() {
  const std::scoped_lock alone(turn_, sealing_);
  std::vector<Collection> collections;
  {
    const std::lock_guard lock(write_mutex_);
    collections = list_collections(database_);
  }
  for (const Collection& collection : collections) {
    std::vector<Segment> segments;
    {
      const std::lock_guard lock(write_mutex_);
      segments = list_segments(collection.id);
    }
    for (const Segment& segment : segments) {
      if (segment.num_dead > 0) rewrite(collection, {segment}, [] {});
    }
  }
}

bool Maintainer::erasure_pending() {
  const std::lock_guard lock(write_mutex_);
  return query_integer(database_, "SELECT erasure_pending FROM state") != 0;
}

void Maintainer::erase_traces() {
  purge_dead_rows();
  {
    const std::scoped_lock alone(turn_, sealing_);
    const std::lock_guard lock(write_mutex_);
    rebuild_catalog();
    remove_leftovers(database_, segments_);  // of an earlier try that could not remove them
    segments_.remove_set_aside();
    segments_.sync();
  }
  empty_log();
  const std::lock_guard lock(write_mutex_);
  database_.execute("UPDATE state SET erasure_pending = 0");
}

/// Merging the text index into one drops the terms of removed rows; VACUUM builds every page of the
/// catalogue anew.
void Maintainer::rebuild_catalog() {
  merge_text_index(database_, segments_);
  database_.execute("UPDATE state SET num_removed = 0");
  database_.execute("VACUUM");
}

void Maintainer::shrink() {
  constexpr int64_t kMaxGarbageShare = 5;
  const std::scoped_lock alone(turn_, sealing_);
  const std::lock_guard lock(write_mutex_);
  const int64_t num_removed = query_integer(database_, "SELECT num_removed FROM state");
  const int64_t num_memories = query_integer(database_, "SELECT count(*) FROM memory");
  const int64_t num_free = query_integer(database_, "PRAGMA freelist_count");
  const int64_t num_pages = query_integer(database_, "PRAGMA page_count");
  if (kMaxGarbageShare * num_removed > num_memories || kMaxGarbageShare * num_free > num_pages) {
    rebuild_catalog();
  }
  (void)try_to_empty_log();
}

/// Each try begins anew: SQLite's own waiting does not see that a reader has gone on to the latest
/// snapshot, and waits for ever where readers follow one another.
void Maintainer::empty_log() {
  constexpr std::chrono::seconds kPatience{10};
  constexpr std::chrono::milliseconds kPause{5};
  const std::scoped_lock alone(turn_, sealing_);
  const std::lock_guard lock(write_mutex_);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!try_to_empty_log()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw StorageError("'" + database_.path() +
                         "': another process keeps reading an older snapshot; what was asked is "
                         "done but for old bytes in the log: call checkpoint again later");
    }
    std::this_thread::sleep_for(kPause);
  }
}

bool Maintainer::try_to_empty_log() {
  const Database::WithoutWaiting without_waiting(database_);
  Query checkpoint(database_, "PRAGMA wal_checkpoint(TRUNCATE)");
  return !checkpoint.step() || checkpoint.integer(0) == 0;
}

}  // namespace aios
