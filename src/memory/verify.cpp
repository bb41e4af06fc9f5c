#include <algorithm>
#include <filesystem>

#include "aios/error.h"
#include "memory/graph_file.h"
#include "memory/storage_implementation.h"
#include "memory/text_index.h"

namespace aios {
namespace {

void check_catalog_pages(Database& database) {
  Query check(database, "PRAGMA integrity_check(1)");
  if (!check.step() || check.text(0) == "ok") return;
  std::string what(check.text(0));
  if (what.starts_with("***")) what.erase(0, what.find('\n') + 1);  // the database's name
  std::replace(what.begin(), what.end(), '\n', ' ');
  database.fail_damaged(what);
}

/// Every live memory is in exactly one place, hot or sealed, and no dead row is live.
void check_rows(Database& database, SegmentFiles& segments, const Collection& collection,
                VerifyMemoryReport& report) {
  std::vector<int64_t> stored;
  {
    Query hot(database, "SELECT sequence FROM hot WHERE collection_id = ?");
    hot.bind(collection.id);
    while (hot.step()) stored.push_back(hot.integer(0));
  }
  Query sealed(database,
               "SELECT segment_id, num_rows, num_bytes FROM segment "
               "WHERE collection_id = ?");
  sealed.bind(collection.id);
  while (sealed.step()) {
    const auto segment = segments.open(sealed.integer(0));
    if (segment->num_rows() != sealed.integer(1) || segment->num_bytes() != sealed.integer(2)) {
      database.fail_damaged("'" + segment->path() +
                            "' is not the segment that the catalogue names");
    }
    segment->verify();
    for (const MemorySegment::Group& group : segment->groups()) {
      stored.insert(stored.end(), group.sequences.begin(), group.sequences.end());
    }
    ++report.num_segments;
    report.num_bytes += segment->num_bytes();
  }
  Query tombstones(database, "SELECT sequence FROM tombstone WHERE collection_id = ?");
  tombstones.bind(collection.id);
  std::vector<int64_t> dead;
  while (tombstones.step()) dead.push_back(tombstones.integer(0));
  std::sort(stored.begin(), stored.end());
  std::sort(dead.begin(), dead.end());
  std::vector<int64_t> live;
  std::set_difference(stored.begin(), stored.end(), dead.begin(), dead.end(),
                      std::back_inserter(live));

  Query rows(database, "SELECT sequence FROM memory WHERE collection_id = ? ORDER BY sequence");
  rows.bind(collection.id);
  auto next = live.begin();
  for (; rows.step(); ++next) {
    if (next == live.end() || *next != rows.integer(0)) {
      database.fail_damaged("memory " + std::to_string(rows.integer(0)) + " and the rows disagree");
    }
  }
  if (next != live.end())
    database.fail_damaged("row " + std::to_string(*next) + " is of no memory");
  report.num_memories += static_cast<int64_t>(live.size());
}

/// After all else: the store is sound without its graphs.
void check_graphs(Database& database, SegmentFiles& segments, VerifyMemoryReport& report) {
  Query sealed(database, "SELECT segment_id FROM segment");
  while (sealed.step()) {
    const std::string path = segments.graph_path_of(sealed.integer(0));
    if (!std::filesystem::exists(path)) continue;
    const auto segment = segments.open(sealed.integer(0));
    report.num_bytes += verify_graph(path, GraphRows::of(*segment));
  }
}

}  // namespace

VerifyMemoryReport ArrowStorage::verify() const {
  const StoreReader& reader = *implementation_->reader;
  return reader.read([&] {
    VerifyMemoryReport report;
    Database& database = reader.database();
    check_catalog_pages(database);
    check_text_index(database);
    for (const Collection& collection : list_collections(database)) {
      check_rows(database, reader.segments(), collection, report);
    }
    check_graphs(database, reader.segments(), report);
    report.num_bytes +=
        query_integer(database, "PRAGMA page_count") * query_integer(database, "PRAGMA page_size");
    return report;
  });
}

}  // namespace aios
