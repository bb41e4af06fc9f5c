#include <filesystem>
#include <map>
#include <set>

#include "aios/error.h"
#include "memory/catalog_schema.h"
#include "memory/graph_file.h"
#include "memory/maintainer.h"
#include "memory/salvage.h"
#include "memory/text_index.h"
#include "memory/writer_lock.h"
#include "storage/atomic_file.h"
#include "storage/memory_file_reader.h"

namespace aios {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDamaged = ".damaged";

void check_files(const std::error_code& error, const std::string& path) {
  if (error) throw IoError("cannot set '" + path + "' aside: " + error.message());
}

/// Brings catalogue and segments of a store into agreement, in one transaction.
class Mending {
 public:
  Mending(Database& database, SegmentFiles& segments, RepairMemoryReport& report)
      : database_(database), segments_(segments), report_(report) {}

  /// @param unreadable ids of segments that are damaged for certain
  void run(const std::vector<int64_t>& unreadable) {
    for (const int64_t id : unreadable) rescue(id);
    check_segments();
    drop_wrong_vectors();
    restore_rows();
    drop_memories_without_rows();
    if (report_.findings.empty() && !text_index_agrees(database_)) {
      find("the text index has other texts than there are memories");
    }
    if (!report_.findings.empty()) rebuild_text_index(database_, segments_);
    check_graphs();
    keep_sequences_ascending();
    report_.num_memories = query_integer(database_, "SELECT count(*) FROM memory");
    database_.execute("UPDATE state SET generation = generation + 1");
  }
  /// Segments whose rows that could be read are hot now.
  [[nodiscard]] const std::set<int64_t>& damaged() const noexcept { return damaged_; }
  /// Files of graphs that are to be removed.
  [[nodiscard]] const std::vector<std::string>& damaged_graphs() const noexcept {
    return damaged_graphs_;
  }

 private:
  void find(const std::string& what) { report_.findings.push_back(what); }

  void check_segments() {
    struct Named {
      int64_t id;
      int64_t num_rows;
      int64_t num_bytes;
    };
    std::vector<Named> named;
    {
      Query query(database_, "SELECT segment_id, num_rows, num_bytes FROM segment");
      while (query.step()) named.push_back({query.integer(0), query.integer(1), query.integer(2)});
    }
    for (const Named& entry : named) {
      try {
        const auto segment = segments_.open(entry.id);
        segment->verify();
        if (segment->num_rows() == entry.num_rows && segment->num_bytes() == entry.num_bytes) {
          continue;
        }
        find("'" + segment->path() + "' is not the segment that the catalogue names");
      } catch (const Error& error) {
        if (fs::exists(segments_.path_of(entry.id)) &&
            dynamic_cast<const IoError*>(&error) != nullptr) {
          throw;  // the disk may give it another time
        }
        find(error.what());
      }
      rescue(entry.id);
    }
  }

  /// Moves what can be read of a damaged segment into the catalogue.
  void rescue(int64_t segment_id) {
    Query(database_, "DELETE FROM segment WHERE segment_id = ?").bind(segment_id).run();
    const std::string path = segments_.path_of(segment_id);
    if (!fs::exists(path)) return;
    damaged_.insert(segment_id);
    try {
      for (const std::string& what :
           salvage_memory_file(path, [&](const MemoryRow& row) { rescue_row(row); })) {
        find(what);
      }
    } catch (const FormatError& error) {
      find(error.what());
    }
  }

  void rescue_row(const MemoryRow& row) {
    if (is_dead(row.sequence)) return;
    Query collection(database_,
                     "SELECT collection_id FROM collection WHERE dimension = ? AND collection_id "
                     "= coalesce((SELECT collection_id FROM memory WHERE sequence = ?), "
                     "collection_id) ORDER BY collection_id");
    collection.bind(static_cast<int64_t>(row.embedding.size())).bind(row.sequence);
    if (!collection.step()) return;
    const int64_t collection_id = collection.integer(0);
    if (!restore_memory(row, collection_id)) return;
    Query hot(database_,
              "INSERT OR IGNORE INTO hot(sequence, collection_id, content, embedding) "
              "VALUES(?, ?, ?, ?)");
    hot.bind(row.sequence).bind(collection_id).bind(row.content);
    hot.bind(std::as_bytes(row.embedding)).run();
  }

  [[nodiscard]] bool is_dead(int64_t sequence) {
    Query query(database_, "SELECT 1 FROM tombstone WHERE sequence = ?");
    return query.bind(sequence).step();
  }

  /// Makes sure that a row that is not dead is a memory. @return whether it is
  bool restore_memory(const MemoryRow& row, int64_t collection_id) {
    {
      Query there(database_, "SELECT 1 FROM memory WHERE sequence = ?");
      if (there.bind(row.sequence).step()) return true;
    }
    // A later version of the same memory is the one that counts.
    Query older(database_,
                "DELETE FROM memory WHERE collection_id = ? AND memory_id = ? AND sequence < ?");
    older.bind(collection_id).bind(row.memory_id).bind(row.sequence).run();
    Query insert(database_,
                 "INSERT OR IGNORE INTO memory(sequence, collection_id, memory_id, timestamp, "
                 "expires_at, category, source, quality_score, extra) "
                 "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(row.sequence).bind(collection_id).bind(row.memory_id).bind(row.timestamp);
    insert.bind(row.expires_at).bind(row.category).bind(row.source);
    insert.bind(static_cast<double>(row.quality_score)).bind(row.extra).run();
    if (database_.num_changes() == 0) return false;
    ++report_.num_restored;
    return true;
  }

  void drop_wrong_vectors() {
    database_.execute(
        "DELETE FROM hot WHERE typeof(content) != 'text' OR length(embedding) IS NOT "
        "(SELECT 4 * dimension FROM collection WHERE collection_id = hot.collection_id)");
    if (database_.num_changes() > 0) find("hot rows are damaged");
    // Sealed or gone: a row is in one place.
    database_.execute(
        "DELETE FROM hot WHERE EXISTS (SELECT 1 FROM tombstone WHERE tombstone.sequence = "
        "hot.sequence)");
  }

  /// Every row of a segment is a live memory, or dead.
  void restore_rows() {
    std::vector<std::pair<int64_t, int64_t>> named;
    {
      Query query(database_, "SELECT segment_id, collection_id FROM segment");
      while (query.step()) named.emplace_back(query.integer(0), query.integer(1));
    }
    for (const auto& [id, collection_id] : named) {
      std::set<int64_t> wanted;
      for (const MemorySegment::Group& group : segments_.open(id)->groups()) {
        for (const int64_t sequence : group.sequences) {
          Query known(database_, "SELECT 1 FROM memory WHERE sequence = ?");
          if (!known.bind(sequence).step() && !is_dead(sequence)) wanted.insert(sequence);
        }
      }
      if (wanted.empty()) continue;
      find("'" + segments_.path_of(id) + "' has rows that the catalogue does not know");
      read_memory_file(segments_.path_of(id), [&, of = collection_id](const MemoryRow& row) {
        if (!wanted.contains(row.sequence) || restore_memory(row, of)) return;
        bury(row.sequence, of);
      });
    }
  }

  void bury(int64_t sequence, int64_t collection_id) {
    Query tombstone(database_,
                    "INSERT INTO tombstone(sequence, collection_id, in_segment) VALUES(?, ?, 1)");
    tombstone.bind(sequence).bind(collection_id).run();
  }

  void drop_memories_without_rows() {
    std::set<int64_t> rows;
    Query segment(database_, "SELECT segment_id, collection_id FROM segment");
    while (segment.step()) {
      const int64_t collection_id = segment.integer(1);
      for (const MemorySegment::Group& group : segments_.open(segment.integer(0))->groups()) {
        for (const int64_t sequence : group.sequences) {
          rows.insert(sequence);
          Query dead(database_,
                     "SELECT 1 FROM memory WHERE sequence = ? AND collection_id = ? UNION ALL "
                     "SELECT 1 FROM tombstone WHERE sequence = ?");
          if (!dead.bind(sequence).bind(collection_id).bind(sequence).step()) {
            bury(sequence, collection_id);  // replaced by a later version that was restored
          }
        }
      }
    }
    Query hot(database_, "SELECT sequence FROM hot");
    while (hot.step()) rows.insert(hot.integer(0));
    std::vector<int64_t> lost;
    Query memory(database_, "SELECT sequence, collection_id FROM memory");
    while (memory.step()) {
      if (!rows.contains(memory.integer(0)) || is_dead(memory.integer(0))) {
        lost.push_back(memory.integer(0));
      }
    }
    for (const int64_t sequence : lost) {
      Query(database_, "DELETE FROM memory WHERE sequence = ?").bind(sequence).run();
      find("memory " + std::to_string(sequence) + " is readable nowhere");
    }
    report_.num_lost += static_cast<int64_t>(lost.size());
    database_.execute("DELETE FROM hot WHERE sequence NOT IN (SELECT sequence FROM memory)");
    // A dead row's mark stays as long as a segment has the row.
  }

  void check_graphs() {
    Query query(database_, "SELECT segment_id FROM segment");
    while (query.step()) {
      const std::string path = segments_.graph_path_of(query.integer(0));
      if (!fs::exists(path)) continue;
      try {
        verify_graph(path, GraphRows::of(*segments_.open(query.integer(0))));
      } catch (const FormatError& error) {
        find(error.what());
        damaged_graphs_.push_back(path);
      }
    }
  }

  /// A sequence is never used again, nor a segment's number.
  void keep_sequences_ascending() {
    database_.execute(
        "DELETE FROM tombstone WHERE in_segment = 0;"
        "INSERT INTO memory(sequence, collection_id, memory_id, timestamp, category, source, "
        "quality_score, extra) SELECT 1 + max(sequence), -1, '', 0, '', '', 0, '' FROM (SELECT "
        "coalesce(max(sequence), 0) AS sequence FROM memory UNION ALL SELECT coalesce("
        "max(last_sequence), 0) FROM segment UNION ALL SELECT coalesce(max(sequence), 0) FROM "
        "tombstone UNION ALL SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = "
        "'memory'); DELETE FROM memory WHERE collection_id = -1");
    const std::vector<int64_t> files = segments_.list();
    if (files.empty()) return;
    Query insert(database_,
                 "INSERT OR IGNORE INTO segment(segment_id, collection_id, num_rows, num_bytes, "
                 "first_sequence, last_sequence) VALUES(?, -1, 0, 0, 0, 0)");
    insert.bind(files.back()).run();
    database_.execute("DELETE FROM segment WHERE collection_id = -1");
  }

  Database& database_;
  SegmentFiles& segments_;
  RepairMemoryReport& report_;
  std::set<int64_t> damaged_;
  std::vector<std::string> damaged_graphs_;
};

/// A copy of the catalogue and its log under names that no store uses. It need not be durable: the
/// original is removed only after the folder was synced.
void copy_catalog(const std::string& catalog, const std::string& copy) {
  for (const char* suffix : {"-wal", ""}) {
    std::error_code error;
    fs::remove(copy + suffix, error);
    if (!fs::exists(catalog + suffix)) continue;
    fs::copy_file(catalog + suffix, copy + suffix, error);
    check_files(error, catalog);
  }
}

void remove_catalog(const std::string& catalog, const std::string& directory) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    fs::remove(catalog + suffix, error);
    check_files(error, catalog);
    sync_folder(directory, catalog);  // a log must never be there with another catalogue
  }
}

std::set<int64_t> mend(Database& database, SegmentFiles& segments, RepairMemoryReport& report,
                       const std::string& old_catalog) {
  Transaction transaction(database, Transaction::Kind::kWrite);
  std::vector<int64_t> unreadable;
  if (!old_catalog.empty()) {
    unreadable = salvage_catalog(old_catalog, database, segments, report.findings);
  }
  Mending mending(database, segments, report);
  mending.run(unreadable);
  transaction.commit();
  for (const std::string& path : mending.damaged_graphs()) {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw IoError("cannot remove '" + path + "': " + error.message());
  }
  return mending.damaged();
}

}  // namespace

RepairMemoryReport ArrowStorage::repair(const std::string& directory) {
  const std::string catalog = directory + "/" + kCatalogName;
  const std::string copy = catalog + kDamaged;
  const std::string fresh = catalog + ".repaired";
  if (!fs::is_directory(directory)) throw StorageError("'" + directory + "' is no folder");
  SegmentFiles segments(directory);
  if (!fs::exists(catalog) && !fs::exists(copy) && segments.list().empty()) {
    throw StorageError("'" + directory + "' holds no memory store: it has no " + kCatalogName);
  }
  const WriterLock lock(directory, 0);
  RepairMemoryReport report;
  const std::string damage = damage_of(catalog);
  std::set<int64_t> damaged;
  if (damage.empty()) {
    Database database(catalog, DatabaseMode::kReadWrite);
    prepare_catalog(database);
    damaged = mend(database, segments, report, "");
  } else {
    report.findings.push_back("'" + catalog + "': " + damage);
    if (fs::exists(catalog)) copy_catalog(catalog, copy);
    remove_catalog(fresh, directory);
    {
      Database database(fresh, DatabaseMode::kCreate);
      prepare_catalog(database);
      damaged = mend(database, segments, report, copy);
      database.execute("PRAGMA journal_mode = DELETE");  // one file, to be renamed
    }
    // Killed between these leaves the copy of the old one, from which a repair begins anew.
    remove_catalog(catalog, directory);
    std::error_code error;
    fs::rename(fresh, catalog, error);
    check_files(error, catalog);
    sync_folder(directory, catalog);
    if (fs::exists(copy)) report.set_aside.push_back(copy);
  }
  for (const int64_t id : damaged) {
    const std::string path = segments.path_of(id);
    std::error_code error;
    fs::rename(path, path + kDamaged, error);
    check_files(error, path);
    report.set_aside.push_back(path + kDamaged);
  }
  return report;
}

}  // namespace aios
